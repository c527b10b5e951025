"""One call on its way: in line, over the wire as often as its policy allows, and its answer, whole or as it comes.

open → admitted (rows durable) → sent → retried or answered
chunks or content
close → rows completed, slot given back
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from logs import redaction
from logs.recorder import Ended
from openai_api import errors, gate, outcome, reading, transport
from openai_api.retries import Again, RetryPolicy, decide

# Of a streamed answer this much is kept for the log, and of JSON as much as is needed to read its usage.
KEPT = redaction.LIMIT
# Answers up to this size are read before they are passed on: one step instead of many.
SMALL = 64 * 1024
ERROR_LIMIT = 1024 * 1024


@dataclass(slots=True)
class Passage:
    """What is asked, and how far it has come. After `open`: `response`, `failure`, and `content` if it was read whole.

    `left` is set by whoever closes it because the caller went away.

    `row` and `logged` are what the log keeps of the request; `model` is the one that was asked for.
    """

    call_id: uuid.UUID
    request: transport.Request
    ticket: gate.Ticket
    row: dict[str, Any]
    logged: redaction.Redacted
    model: str = ""
    policy: RetryPolicy = RetryPolicy()
    response: transport.Response | None = None
    failure: errors.CallError | None = None
    content: bytes | None = None
    left: bool = False
    _sent_at: float = 0.0
    _over_at: float = 0.0
    _said: bytes = b""
    _body: Any = None
    _reader: reading.StreamReader | None = None
    _kept: bytearray = field(default_factory=bytearray)
    _size: int = 0
    _whole: bool = False
    _closed: bool = False

    @property
    def status(self) -> int:
        return self.response.status if self.response else 0

    @property
    def name(self) -> str:
        """The call's id, as OpenAI was told it."""
        return self.request.headers["x-client-request-id"]

    @property
    def headers(self) -> Mapping[str, str]:
        return self.response.headers if self.response else {}

    async def open(self, whole: bool) -> None:
        """Go through the gate and over the wire until an answer or a failure stands. With `whole`, read the answer too.

        Raises Rejected or LogUnavailable when nothing was sent; every later failure is kept in `failure`.
        """
        reply = gate.gate.arrive(self.ticket, self.row, self.logged)
        while True:
            try:
                self.ticket = await _admitted(self.ticket, reply)
            except errors.CallError as error:
                self._closed = True
                error.call_id = self.call_id
                raise
            except asyncio.CancelledError:
                self._closed = True
                raise
            await self._attempt(whole)
            if self.failure is not None:
                self.failure.call_id = self.call_id
            again = self._again()
            if again is None:
                return
            ended = self._ended()
            await self._hang_up()
            self.ticket, reply = gate.gate.again(self.ticket, ended, again.seconds, again.reason)

    async def _attempt(self, whole: bool) -> None:
        """Over the wire once. The whole attempt, or its way to the headers, is bounded by the request's timeout."""
        self.response, self.content, self.failure = None, None, None
        self._said, self._body = b"", None
        self._sent_at, self._over_at = time.monotonic(), 0.0
        try:
            async with asyncio.timeout(self.request.timeout):
                self.response = await transport.send(
                    self.request, self._sent if self.ticket.throttle.from_sent else None
                )
                gate.gate.sent(self.ticket)
                await self._read_if(whole)
        except errors.CallError as error:
            self.failure = error
        except TimeoutError as error:
            self.failure = transport.broken(self.request, error)
        except asyncio.CancelledError:
            await self._leave()
            raise
        if self.response is None or self.content is not None:
            self._over_at = time.monotonic()
        if self.response is not None and self.content is not None:
            self._said = self.request.forget_key(self.content)
            self._body = reading.parse(self._said) if len(self._said) <= reading.STREAM_LIMIT else None
            self.failure = self.failure or outcome.failure_of(self.response, self._said, self._body)

    def _sent(self) -> None:
        gate.gate.sent(self.ticket)

    async def _read_if(self, whole: bool) -> None:
        response = self.response
        assert response is not None  # noqa: S101 - `send` gave it
        streamed = "text/event-stream" in response.headers.get("content-type", "")
        if response.status >= 300:
            self.content = await response.read(ERROR_LIMIT)
        elif whole or (not streamed and 0 <= response.length <= SMALL):
            self.content = await response.read()
        elif streamed:
            self._reader = reading.StreamReader(self.request.forget_key)

    def _again(self) -> Again | None:
        if self.failure is None or (self.request.once and self.failure.sent):
            return None
        return decide(self.policy, self.failure, self.request.repeatable, self.ticket.attempt, self.headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The answer's bytes as they come. Raises a CallError where it breaks."""
        if self.content is not None:
            self._whole = True
            yield self.content
            return
        assert self.response is not None  # noqa: S101 - `open` came first
        keep = reading.STREAM_LIMIT if "json" in self.headers.get("content-type", "") else KEPT
        try:
            async for chunk in self.response.chunks():
                if self._reader is not None:
                    self._reader.feed(chunk)
                self._size += len(chunk)
                if len(self._kept) < keep:
                    self._kept += chunk[: keep - len(self._kept)]
                yield chunk
        except errors.CallError as error:
            self.failure = error
            error.call_id = self.call_id
            raise
        self._whole = True

    async def close(self, urgent: bool = True) -> None:
        """Complete the rows and give the slot back. With `urgent` false, not waiting for it. The second time does nothing."""
        if self._closed:
            return
        self._closed = True
        await self._hang_up()
        if urgent:
            await asyncio.shield(gate.gate.finish(self.ticket, self._ended()).awaited())
        else:
            gate.gate.finish_soon(self.ticket, self._ended())

    async def _hang_up(self) -> None:
        if self.response is not None:
            with contextlib.suppress(Exception):
                await self.response.close()

    async def _leave(self) -> None:
        """The caller went away while the request was on the wire."""
        self._closed = True
        await asyncio.shield(self._hang_up())
        taken = self.request.taken
        ended = outcome.left_unanswered(self.request.repeatable) if taken else outcome.left_uploading()
        await asyncio.shield(gate.gate.finish(self.ticket, ended).awaited())

    def _ended(self) -> Ended:
        over_at = self._over_at or time.monotonic()
        ended = self._outcome()
        ended.sent_at, ended.over_at = self._sent_at, over_at
        ended.spent_ms = round((over_at - self._sent_at) * 1000)
        return ended

    def _outcome(self) -> Ended:
        if self.content is None and self.response is not None:
            return self._ended_stream()
        found, said = reading.read(self._body), self._said
        answer = None if self.response is None else outcome.answer(said, len(said), self.headers)
        return outcome.ended(self.request, self.model, self.response, found, self.failure, answer)

    def _ended_stream(self) -> Ended:
        kept = self.request.forget_key(bytes(self._kept))
        found = self._reader.reading if self._reader else reading.read(self._json(kept))
        failure = self.failure or found.failure
        if failure is None and self._whole and self.response is not None:
            failure = self._failure_at_its_end(self.response, kept)
        answer = outcome.answer(kept[:KEPT], self._size, self.headers)
        end = outcome.ended(self.request, self.model, self.response, found, failure, answer)
        return end if failure or self._whole else outcome.left_midway(end)

    def _failure_at_its_end(self, response: transport.Response, kept: bytes) -> errors.CallError | None:
        """What is wrong with an answer that passed through to its end."""
        if self._reader is not None:
            return None if self._reader.ended else outcome.cut_short()
        return outcome.failure_of(response, kept, reading.parse(kept)) if self._size == len(kept) else None

    def _json(self, kept: bytes) -> Any:
        whole = self._whole and self._size == len(kept)
        return reading.parse(kept) if whole and "json" in self.headers.get("content-type", "") else None


async def _admitted(ticket: gate.Ticket, reply: gate.Reply[gate.Ticket]) -> gate.Ticket:
    """Wait for the gate. A caller that goes away leaves the line, or gives back what it was just given."""
    try:
        return await reply.awaited()
    except asyncio.CancelledError:
        reply.cancel()
        await asyncio.shield(gate.gate.finish(ticket, outcome.left_in_line()).awaited())
        raise
