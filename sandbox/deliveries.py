"""Webhooks on their way: signed by Standard Webhooks, tried again with backoff, remembered for a while."""

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from sandbox.endpoints import Endpoint, Endpoints
from sandbox.errors import Json
from sandbox.settings import Settings
from sandbox.tasks import Tasks

USER_AGENT = "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)"
ANSWER_SECONDS = 5.0
KEPT = 1000


@dataclass
class Attempt:
    """One try: when it began, the status it got, or what went wrong."""

    at: float
    status: int | None = None
    error: str | None = None

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass
class Delivery:
    """One event to one endpoint. `forge` signs it wrongly, `timestamp_offset` (seconds) dates it earlier or later."""

    endpoint_id: str
    url: str
    event: Json
    forge: bool = False
    timestamp_offset: float = 0.0
    webhook_id: str = field(default_factory=lambda: "wh_" + secrets.token_hex(16))
    attempts: list[Attempt] = field(default_factory=list)
    done: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"accepted": any(attempt.accepted for attempt in self.attempts)}


def new_event(type: str, data: Json) -> Json:
    """The thin body of an event: what happened is fetched by the id in `data`."""
    return {
        "id": "evt_" + secrets.token_hex(16),
        "object": "event",
        "type": type,
        "created_at": int(time.time()),
        "data": data,
    }


def signed_headers(delivery: Delivery, body: str, signing_secrets: Iterable[str]) -> dict[str, str]:
    """The headers of one attempt: a signature for each secret, as during the overlap of a rotation."""
    from standardwebhooks import Webhook  # here, because starting must not wait for it

    moment = datetime.fromtimestamp(int(time.time() + delivery.timestamp_offset), tz=UTC)
    signed = body + " " if delivery.forge else body
    signatures = [Webhook(secret).sign(delivery.webhook_id, moment, signed) for secret in signing_secrets]
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": delivery.webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


class Deliveries:
    def __init__(self, settings: Settings, endpoints: Endpoints, tasks: Tasks) -> None:
        self.settings = settings
        self.endpoints = endpoints
        self.tasks = tasks
        self.sent: deque[Delivery] = deque(maxlen=KEPT)
        self.session: ClientSession | None = None

    def announce(self, project: str, type: str, data: Json, copies: int = 1, **how: Any) -> list[Delivery]:
        """Send an event to every endpoint of `project` that subscribed to it; `copies` share one webhook id."""
        event = new_event(type, data)
        listeners = [endpoint for endpoint in self.endpoints.of(project) if type in endpoint.event_types]
        deliveries = [Delivery(listener.id, listener.url, event, **how) for listener in listeners]
        for delivery in deliveries:
            self.sent.append(delivery)
            for _ in range(copies):
                self.tasks.start(self.deliver(delivery))
        return deliveries

    async def deliver(self, delivery: Delivery) -> None:
        """Try until a 2xx comes, the attempts are used up or the endpoint is gone."""
        for number in range(self.settings.webhook_attempts):
            endpoint = self.endpoints.items.get(delivery.endpoint_id)
            if endpoint is None or (await self.attempt(delivery, endpoint)).accepted:
                break
            await asyncio.sleep(self.settings.webhook_backoff_seconds * 2**number)
        delivery.done = True

    async def attempt(self, delivery: Delivery, endpoint: Endpoint) -> Attempt:
        """One try; a redirect is an answer like any other and is not followed."""
        body = json.dumps(delivery.event, separators=(",", ":"))
        attempt = Attempt(time.time())
        delivery.attempts.append(attempt)
        headers = signed_headers(delivery, body, endpoint.signing_secrets())
        try:
            async with self.client().post(
                endpoint.url, data=body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                attempt.status = answer.status
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            attempt.error = f"{type(error).__name__}: {error}"
        return attempt

    def client(self) -> ClientSession:
        if self.session is None:
            self.session = ClientSession(timeout=ClientTimeout(total=ANSWER_SECONDS))
        return self.session

    async def close(self) -> None:
        if self.session is not None:
            await self.session.close()
