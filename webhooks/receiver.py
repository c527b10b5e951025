"""`POST /hookapi/v2/dynamic/OpenAI/<Entity>?<key>`: a small ASGI application beside Django, since no page is involved.

The whole query string is the URL-encoded webhook key; it is never logged. Whatever comes, the answer is 200 for an
event that is stored, 4xx for one that is refused, and 503 only while the database cannot store: then the sender comes again.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import close_old_connections

from webhooks.inbox import Delivery, receive
from webhooks.refusals import REASONS, Reason, Refused

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATH = re.compile(r"/hookapi/v2/dynamic/OpenAI/([^/]{1,80})/?")
BODY_LIMIT = 256 * 1024
# Past the limit a little more is read and dropped, so that an honest sender gets to see the answer.
DRAIN_LIMIT = 4 * BODY_LIMIT
UNAVAILABLE = Reason("unavailable", 503, "Not stored", "The event could not be stored just now. Send it again later.")

log = logging.getLogger(__name__)


class Gone(Exception):
    """The sender hung up before the end of its request; nobody waits for an answer."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    headers: tuple[tuple[bytes, bytes], ...] = ()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        await send({"type": "websocket.close"})
        return
    try:
        answer = await _answer(scope, receive)
    except Gone:
        return
    content = json.dumps(answer.body).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _answer(scope: Scope, receive: Receive) -> Answer:
    place = PATH.fullmatch(scope["path"])
    if place is None:
        return refusal(REASONS["not_found"])
    if scope["method"] != "POST":
        return refusal(REASONS["method_not_allowed"], (b"allow", b"POST"))
    body, oversized = await _read(scope, receive)
    delivery = Delivery(place[1], _token(scope), _headers(scope), body, _address(scope), oversized)
    async with ThreadSensitiveContext():
        return await sync_to_async(_deliver)(delivery)


def _deliver(delivery: Delivery) -> Answer:
    close_old_connections()
    try:
        receive(delivery)
    except Refused as refused:
        return refusal(refused.reason)
    except Exception as error:
        # Only the kind of error: its text or traceback could hold the key or the body.
        log.error("An event could not be stored: %s", type(error).__name__)
        return refusal(UNAVAILABLE, (b"retry-after", b"5"))
    finally:
        close_old_connections()
    return Answer(200, {"received": True})


def refusal(reason: Reason, *headers: tuple[bytes, bytes]) -> Answer:
    """An error in the shape of OpenAI's own."""
    kind = "invalid_request_error" if reason.status < 500 else "server_error"
    error = {"message": reason.sentence, "type": kind, "param": None, "code": reason.slug}
    return Answer(reason.status, {"error": error}, headers)


async def _read(scope: Scope, receive: Receive) -> tuple[bytes, bool]:
    """The body, and whether it was over the limit (then it is not whole). Never holds more than the limit."""
    body, seen = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk = message.get("body", b"")
        seen += len(chunk)
        if seen <= BODY_LIMIT:
            body += chunk
        if not message.get("more_body") or seen > DRAIN_LIMIT:
            return bytes(body), seen > BODY_LIMIT


def _token(scope: Scope) -> str:
    return unquote(scope["query_string"].decode("latin-1"), errors="replace")


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
