"""`/proxy/<installation>/v1/<path>`: OpenAI's API through Patchbay, as a small ASGI application beside Django.

Any SDK of OpenAI's works unchanged with this address as its base URL and a Patchbay token as its key. Bodies pass through
as they come, both ways; the call stands in the log before a byte of it leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from logs.context import Context
from openai_api import errors, passing
from openai_api.client import Forwarded
from openai_api.passage import Passage
from openai_api.upload import CallerLeft, Upload
from proxy import knocks, options, refusals
from proxy.doors import Door, door
from proxy.refusals import Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PLACE = re.compile(r"/proxy/([^/]{1,360})/v1(/.*)?")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Larger bodies are passed on as they come; these are held, so that they can be logged, counted and sent again.
HELD = 1024 * 1024
# Whoever is answered sooner is not watched for hanging up.
WATCH_AFTER = 0.05

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
    await _pass(passage, receive, send)


async def _prepare(scope: Scope, receive: Receive) -> Passage | Refusal:
    """Everything that needs no row yet: the token, the options, the path, the headers, and a body that can be held."""
    place = PLACE.fullmatch(scope["raw_path"].decode("latin-1").partition("?")[0])
    if place is None:
        return refusals.NOT_FOUND
    given = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    named = dict(given)
    try:
        opened = await door(unquote(place[1]), _token(named))
    except Exception as error:
        log.error("A token could not be checked: %s", type(error).__name__)
        return refusals.UNAVAILABLE
    if opened is None:
        knocks.count("no valid token", scope)
        return refusals.NO_TOKEN
    chosen = options.read(named)
    path = passing.path(place[2] or "/")
    headers = passing.headers(given, opened.client.headers)
    if scope["method"] not in METHODS:
        return Refusal(405, "This method is not passed on.", "method_not_allowed")
    content, stream, size = await _body(receive, named.get("content-length", ""))
    if stream is not None and size >= 0:
        headers["content-length"] = str(size)
    query = scope["query_string"].decode("latin-1")
    asked = Forwarded(scope["method"], path, query, headers, content, stream, size, chosen.timeout)
    return opened.client.forward(asked, _context(opened, chosen), chosen.policy)


def _token(headers: dict[str, str]) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _context(opened: Door, chosen: options.Options) -> Context:
    return Context(
        "proxy", str(opened.token_id), opened.token_name, correlation_id=chosen.correlation_id, tags=chosen.tags
    )


async def _body(receive: Receive, announced: str) -> tuple[bytes, Upload | None, int]:
    """`(content, None, size)` of a body that can be held, else `(b"", stream, size)`; -1 is an unknown size."""
    held = bytearray()
    size = int(announced) if announced.isascii() and announced.isdigit() else -1
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


async def _pass(passage: Passage, receive: Receive, send: Send) -> None:
    """Open the passage and give its answer on. A caller who hangs up closes it, and with it OpenAI's side, at once."""
    work = asyncio.current_task()
    assert work is not None  # noqa: S101 - a coroutine runs in a task
    watch: list[asyncio.Task[None]] = []
    later = asyncio.get_running_loop().call_later(
        WATCH_AFTER, lambda: watch.append(asyncio.ensure_future(_watch(receive, work, passage)))
    )
    try:
        await _answer(passage, send)
    except asyncio.CancelledError:
        if not passage.left:
            raise
    finally:
        later.cancel()
        for task in watch:
            task.cancel()
        await passage.close(urgent=False)


async def _watch(receive: Receive, work: asyncio.Task[Any], passage: Passage) -> None:
    """Wait for the caller to hang up. While its body is still being read, that reader is the one to notice."""
    upload = passage.request.stream
    if upload is not None:
        await upload.over.wait()
    if upload is None or upload.whole:
        with contextlib.suppress(CallerLeft):
            while True:
                await _next(receive)
    passage.left = True
    work.cancel()


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
    headers = passing.answer_headers(passage.headers)
    # An answer that has no body (RFC 9110 §8.6) announces what OpenAI's announced: the size of what a GET would bring.
    bodiless = passage.request.method == "HEAD" or passage.status in (204, 304)
    length = response.length if content is None or bodiless else len(content)
    if length >= 0:
        headers.append((b"content-length", str(length).encode()))
    headers.append((b"x-patchbay-call-id", str(passage.call_id).encode()))
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
