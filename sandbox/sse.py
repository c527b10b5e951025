"""Server-sent events, written one by one so that they can be delayed, cut or broken."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable

from aiohttp import web

from sandbox.call import call_of, state_of
from sandbox.errors import Json

DONE = b"data: [DONE]\n\n"


def named(event: Json) -> bytes:
    """One event of the Responses and Images APIs: its name is its type."""
    return f"event: {event['type']}\n".encode() + unnamed(event)


def unnamed(data: Json) -> bytes:
    """One chunk of the chat API."""
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


async def each(frames: Iterable[bytes]) -> AsyncIterator[bytes]:
    for frame in frames:
        yield frame


async def send(request: web.Request, frames: AsyncIterator[bytes]) -> web.StreamResponse:
    """Stream `frames`. Under the fault ``broken_stream`` the connection is cut after so many of them."""
    cut = call_of(request).fails_with("broken_stream")
    pause = state_of(request).settings.stream_delay_seconds
    response = web.StreamResponse(
        headers={"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
    )
    await response.prepare(request)
    sent = 0
    async for frame in frames:
        if cut is not None and sent >= cut.events:
            return await _cut_off(request, response)
        await response.write(frame)
        sent += 1
        if pause:
            await asyncio.sleep(pause)
    await response.write_eof()
    return response


async def _cut_off(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """What was written is let out first, then the connection ends without the end of the stream."""
    await asyncio.sleep(0)
    if request.transport is not None:
        request.transport.close()
    return response
