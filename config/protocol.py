"""Uvicorn's own protocol, but for two things.

Answers leave in one piece: uvicorn writes the head of an answer and its body one after the other, each a word with the kernel and
a packet of its own; what is written within one step of the event loop is sent together here (`tests/bench`). And whoever wants
to hear at once that a caller hung up is told (`proxy.hangups`).
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from proxy import hangups


class Corked:
    """A transport that holds what is written to it until the event loop's next step, and else is the one within."""

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._inner, self._loop = inner, loop
        self._held: list[bytes] = []
        self.is_closing = inner.is_closing

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(data)

    def close(self) -> None:
        self.flush()
        self._inner.close()

    def abort(self) -> None:
        self._held = []
        self._inner.abort()

    def flush(self) -> None:
        held, self._held = self._held, []
        if held and not self._inner.is_closing():
            self._inner.write(b"".join(held))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Protocol(HttpToolsProtocol):
    """One connection, with the requests that come over it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._hang_ups = hangups.HangUps()
        self._corked = Corked(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, self._corked))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {hangups.EXTENSION: self._hang_ups}  # type: ignore[dict-item]

    def on_message_complete(self) -> None:
        super().on_message_complete()
        # Reading was paused while a large body came faster than it was taken; only who reads notices an end.
        if not self.pipeline:
            self.flow.resume_reading()

    def on_response_complete(self) -> None:
        # Who is alone does not wait for what we still have to write about its answer. In a crowd that would cost every eighth
        # call: those who have their answers ask again while the rest still wait, and the gate serves them in more turns.
        if len(self.tasks) == 1:
            self._corked.flush()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._hang_ups.tell()
