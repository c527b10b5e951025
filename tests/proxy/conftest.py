"""What this room's tests share: the proxy at rest between them, and the real program with installations at the sandbox and one
token for all of them."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from openai_api import loop
from proxy import doors, knocks
from tests.conftest import Sandbox, wait_until
from tests.whole.program import Program

SEED = """
import json, hashlib
from connections.models import Connection, Installation
from proxy.models import Token, digest, new_token
key = new_token()
token = Token.objects.create(name="The shop", digest=digest(key), last4=key[-4:])
for name, base_url, options in json.loads({plan!r}):
    connection = Connection.objects.create(name=name, base_url=base_url)
    connection.set_key("sk-sandbox-canary-key")
    connection.save()
    digested = hashlib.sha256(name.encode()).hexdigest()
    options = {{"concurrent_connections": 50, **options}}
    made = Installation.objects.create(
        name=name, connection=connection, model="gpt-6-luna", webhook_key_digest=digested, **options)
    token.installations.add(made)
print(json.dumps({{"token": key}}))
"""
UNDER_WAY = ("queued", "sending", "retrying")
COLUMNS = (
    "id", "state", "operation", "path", "http_status", "stream", "error_code", "attempts", "total_tokens", "cause_label"
)  # fmt: skip
CALLS = """
    SELECT id, state, operation, path, http_status, stream, error_code, attempts, total_tokens, cause_label
    FROM logs_call WHERE id = coalesce(?, (SELECT max(id) FROM logs_call WHERE cause = 'proxy'))"""
# Each of these may be stopped or parked by its tests without harm to the others.
NAMES = ("Shop", "Refused", "Parked", "Broke", "Slow", "Strange", "Big")


class Shop:
    """The program and its token: `url` of an installation, `call` for the row of an answer."""

    def __init__(self, program: Program, token: str) -> None:
        self.program = program
        self.token = token

    def url(self, installation: str = "Shop") -> str:
        return f"{self.program.address}/proxy/{installation}/v1"

    def call(self, call_id: str, **expected: object) -> dict[str, Any]:
        """The row of a call, once it has ended. It has these values."""
        row: Any = wait_until(
            lambda: (found := self._calls(call_id)) and found[0]["state"] not in UNDER_WAY and found[0]
        )
        assert {name: row[name] for name in expected} == expected, row
        return dict(row)

    def last_call(self, **expected: object) -> str:
        """The newest row's id, once it has these values."""

        def found() -> str | None:
            row = self._calls()[0]
            return row["id"] if {name: row[name] for name in expected} == expected else None

        return str(wait_until(found))

    def _calls(self, call_id: str | None = None) -> list[dict[str, Any]]:
        wanted = call_id.replace("-", "") if call_id else None
        return [dict(zip(COLUMNS, row, strict=True)) for row in self.program.rows(CALLS, wanted)]


@pytest.fixture(scope="session")
def shop(whole_program: Program, running_sandbox: Sandbox) -> Shop:
    plan: list[Any] = [(name, running_sandbox.url, {}) for name in NAMES]
    once = {"throttle_limit": 1, "throttle_seconds": 60}
    plan += [("Patient", running_sandbox.url, once), ("Narrow", running_sandbox.url, {**once, "excess": "reject"})]
    made = whole_program.manage("shell", "-v", "0", "-c", SEED.format(plan=json.dumps(plan)))
    return Shop(whole_program, made["token"])


class Sdk:
    """The official SDK, synchronous or not: `ask` gives the answer of either, `every` the events of its stream."""

    def __init__(self, shop: Shop, awaited: bool) -> None:
        self.shop = shop
        self.kind = openai.AsyncOpenAI if awaited else openai.OpenAI
        self.loop = asyncio.new_event_loop()
        self.made: list[Any] = []

    def at(self, installation: str = "Shop", **options: Any) -> Any:
        given = {"api_key": self.shop.token, "base_url": self.shop.url(installation), "max_retries": 0, "timeout": 20.0}
        client = self.kind(**{**given, **options})
        self.made.append(client)
        return client

    def ask(self, value: Any) -> Any:
        return self.loop.run_until_complete(value) if inspect.isawaitable(value) else value

    def every(self, stream: Any) -> list[Any]:
        stream = self.ask(stream)
        if not hasattr(stream, "__aiter__"):
            return list(stream)

        async def gather() -> list[Any]:
            return [event async for event in stream]

        return list(self.loop.run_until_complete(gather()))

    def first(self, stream: Any) -> Any:
        return self.ask(stream.__anext__()) if hasattr(stream, "__anext__") else next(iter(stream))

    def close(self) -> None:
        for client in self.made:
            self.ask(client.close())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


@pytest.fixture(params=["sync", "async"])
def sdk(request: pytest.FixtureRequest, shop: Shop, running_sandbox: Sandbox) -> Iterator[Sdk]:
    running_sandbox.clear()
    running_sandbox.settings(stream_delay_seconds=0, background_seconds=0.06, batch_seconds=0.06)
    made = Sdk(shop, request.param == "async")
    yield made
    made.close()


@pytest.fixture
def plain(shop: Shop) -> Iterator[httpx.Client]:
    """A program without an SDK, that shows its token."""
    headers = {"authorization": f"Bearer {shop.token}"}
    with httpx.Client(base_url=shop.url(), headers=headers, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(autouse=True)
def doors_shut() -> Iterator[None]:
    """No door of one test stands open in the next."""
    yield
    loop.run(_settle())
    doors._kept.clear()
    knocks._waiting.clear()


async def _settle() -> None:
    """A look that is under way is waited for, so that it ends while its database is there."""
    for kept in list(doors._kept.values()):
        if kept.look is not None:
            await kept.look
