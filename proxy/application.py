"""`/proxy/<installation>/v1/<path>`: OpenAI's API through Patchbay, as a small ASGI application beside Django.

Any SDK of OpenAI's works unchanged with this address as its base URL and a Patchbay token as its key. Bodies pass through
as they come, both ways; the call stands in the log before a byte of it leaves.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from logs.context import Context, new_correlation
from openai_api import errors, passing
from openai_api.client import Forwarded
from openai_api.passage import Passage
from openai_api.upload import CallerLeft, Upload
from proxy import breaks, hangups, knocks, options, refusals
from proxy.doors import Door, Headers, door
from proxy.hangups import HangUps
from proxy.refusals import Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PLACE = re.compile(r"/proxy/([^/]{1,360})/v1(/.*)?")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Larger bodies are passed on as they come; these are held, so that they can be logged, counted and sent again.
HELD = 1024 * 1024

log = logging.getLogger(__name__)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        await send({"type": "websocket.close"})
        return
    try:
        passage = await _prepare(scope, receive)
    except CallerLeft:
        return
    except (passing.NotPassedOn, options.BadOption) as problem:
        passage = Refusal(400, str(problem), "bad_request")
    if isinstance(passage, Refusal):
        await _refuse(send, passage)
        return
    await _pass(passage, hangups.of(scope), send)


async def _prepare(scope: Scope, receive: Receive) -> Passage | Refusal:
    """Everything that needs no row yet: the token, the options, the path, the headers, and a body that can be held."""
    place = PLACE.fullmatch(scope["raw_path"].decode("latin-1").partition("?")[0])
    if place is None:
        return refusals.NOT_FOUND
    authorization, announced, rest = _sorted(scope["headers"])
    try:
        opened = await door(unquote(place[1]), _token(authorization))
    except Exception as error:
        log.error("A token could not be checked: %s", type(error).__name__)
        return refusals.UNAVAILABLE
    if opened is None:
        knocks.count("no valid token", scope)
        return refusals.NO_TOKEN
    path = passing.path(place[2] or "/")
    head = opened.head(rest)
    if scope["method"] not in METHODS:
        return Refusal(405, "This method is not passed on.", "method_not_allowed")
    content, stream, size = await _body(receive, announced)
    query, chosen = scope["query_string"].decode("latin-1"), head.options
    asked = Forwarded(scope["method"], path, query, head.passed, content, stream, size, chosen.timeout)
    return opened.client.forward(asked, _context(opened, chosen), chosen.policy)


def _sorted(headers: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes, Headers]:
    """`authorization`, `content-length`, and the other headers, which a program sends alike each time."""
    authorization, length, rest = b"", b"", []
    for pair in headers:
        if pair[0] == b"authorization":
            authorization = pair[1]
        elif pair[0] == b"content-length":
            length = pair[1]
        else:
            rest.append(pair)
    return authorization, length, tuple(rest)


def _token(authorization: bytes) -> str:
    kind, _, token = authorization.decode("latin-1").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _context(opened: Door, chosen: options.Options) -> Context:
    correlation = chosen.correlation_id or new_correlation()
    return Context("proxy", str(opened.token_id), opened.token_name, correlation_id=correlation, tags=chosen.tags)


async def _body(receive: Receive, announced: bytes) -> tuple[bytes, Upload | None, int]:
    """`(content, None, size)` of a body that can be held, else `(b"", stream, size)`; -1 is an unknown size."""
    held = bytearray()
    size = int(announced) if announced.isdigit() else -1
    while True:
        message = await _next(receive)
        held += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(held), None, len(held)
        if len(held) > HELD or size > HELD:
            return b"", Upload(_rest(bytes(held), receive)), size


async def _rest(beginning: bytes, receive: Receive) -> AsyncIterator[bytes]:
    yield beginning
    while True:
        message = await _next(receive)
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise CallerLeft
    return message


async def _pass(passage: Passage, hang_ups: HangUps, send: Send) -> None:
    """Open the passage and give its answer on. A caller who hangs up closes it, and with it OpenAI's side, at once."""
    work = asyncio.current_task()
    assert work is not None  # noqa: S101 - a coroutine runs in a task

    def hung_up() -> None:
        passage.left = True
        work.cancel()

    hang_ups.add(hung_up)
    try:
        await _answer(passage, send)
    except asyncio.CancelledError:
        if not passage.left:
            raise
    finally:
        hang_ups.discard(hung_up)
        await passage.close(urgent=False)


async def _answer(passage: Passage, send: Send) -> None:
    try:
        await passage.open(whole=False)
    except errors.CallError as error:
        await _refuse(send, refusals.of(error))
        return
    failure, response = passage.failure, passage.response
    if failure is not None and (passage.content is None or isinstance(failure, errors.Redirected)):
        await _refuse(send, refusals.of(failure))
        return
    assert response is not None  # noqa: S101 - no answer without a reason
    content = passage.content
    if failure is not None and content is not None:
        # Whoever holds a token must not be told the key by a far side that quotes what it refuses.
        content = passage.request.forget_key(content)
    whole = content is not None
    headers = passing.answer_headers(response.raw)
    # An answer that has no body (RFC 9110 §8.6) announces what OpenAI's announced: the size of what a GET would bring.
    bodiless = passage.request.method == "HEAD" or passage.status in (204, 304)
    length = response.length if content is None or bodiless else len(content)
    if length >= 0:
        headers.append((b"content-length", str(length).encode()))
    headers.append((b"x-patchbay-call-id", passage.name.encode()))
    if isinstance(failure, errors.NoCredit) and "x-should-retry" not in passage.headers:
        # SDKs repeat every 429 that does not say this, and no repetition brings credit.
        headers.append((b"x-should-retry", b"false"))
    await send({"type": "http.response.start", "status": passage.status, "headers": headers})
    if whole:
        await send({"type": "http.response.body", "body": content})
        return
    try:
        async for chunk in passage.chunks():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except errors.CallError as error:
        # The beginning has been sent: all that is left is to end without the end, so that the caller sees it is broken.
        log.warning("An answer broke off: %s", error.code)
        breaks.on_purpose.set(True)
        return
    await send({"type": "http.response.body", "body": b""})


async def _refuse(send: Send, refusal: Refusal) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(refusal.body)).encode()),
        (b"cache-control", b"no-store"),
        *refusal.headers,
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": refusal.body})
