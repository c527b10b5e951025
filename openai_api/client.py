"""The client: every OpenAI call of every feature goes down this staircase.

call → arrive at the gate (rows durable) → send once → judge the answer → again or finish (rows durable)
"""

from __future__ import annotations

import asyncio
import contextlib
import json as jsonlib
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection
from django.utils import timezone

from logs import redaction
from logs.context import Context
from logs.ids import uuid7
from logs.recorder import Ended
from openai_api import errors, gate, loop, pricing, reading, transport
from openai_api.catalogue import OPERATIONS, Operation
from openai_api.retries import RetryPolicy, decide
from openai_api.throttle import Throttle

RATE_LIMIT_HEADERS = ("x-ratelimit-", "retry-after", "x-should-retry")
KEPT_OF_STREAM = redaction.LIMIT
Files = Mapping[str, tuple[str, bytes, str]]


@dataclass(frozen=True)
class Answer:
    """OpenAI's answer: status, lower-cased headers, whole body; `call_id` is its row in the log."""

    call_id: uuid.UUID
    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return reading.parse(self.content)


@dataclass(frozen=True)
class Origin:
    """Names and ids of the connection and installation, as the log keeps them."""

    connection_id: int | None = None
    connection_name: str = ""
    installation_id: int | None = None
    installation_name: str = ""


@dataclass
class _Call:
    """One call on its way: what is asked, and its place at the gate."""

    id: uuid.UUID
    operation: Operation
    request: transport.Request
    model: str
    ticket: gate.Ticket
    row: dict[str, Any]
    logged: redaction.Redacted


@dataclass(frozen=True)
class Client:
    """A connection ready to be called. Made by `connections.clients`, which alone opens the key inside `headers`."""

    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    throttle: Throttle
    origin: Origin

    def with_throttle(self, throttle: Throttle) -> Client:
        return replace(self, throttle=throttle)

    def call(self, operation: str, **options: Any) -> Answer:
        """`acall` for callers that are not asynchronous. Raises RuntimeError inside a database transaction."""
        _refuse_transaction()
        return loop.run(self.acall(operation, **options))

    async def acall(
        self,
        operation: str,
        *,
        context: Context,
        path: dict[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        files: Files | None = None,
        retries: RetryPolicy | None = None,
        timeout: float = 60.0,
    ) -> Answer:
        """Call one operation of the catalogue and wait for the whole answer. `timeout` is in seconds, for each attempt.

        Raises a CallError (see `openai_api.errors`) whose `call_id` names the row in the log.
        """
        call = self._prepare(operation, context, path, query, json, files, timeout)
        policy = retries or RetryPolicy()
        future = gate.gate.arrive(call.ticket, call.row, call.logged)
        while True:
            call.ticket = await _admitted(call.ticket, future)
            response, content, failure = await self._once(call)
            ended = _judge(call, response, content, failure)
            again = failure and decide(
                policy, failure, call.request.repeatable, call.ticket.attempt, response.headers if response else {}
            )
            if again:
                call.ticket, future = gate.gate.again(call.ticket, ended, again.seconds, again.reason)
                continue
            await asyncio.shield(asyncio.wrap_future(gate.gate.finish(call.ticket, ended)))
            if failure:
                failure.call_id = call.id
                raise failure
            assert response is not None  # noqa: S101 - no failure means an answer
            return Answer(call.id, response.status, response.headers, content)

    async def _once(self, call: _Call) -> tuple[transport.Response | None, bytes, errors.CallError | None]:
        """Over the wire once. The whole attempt is bounded by the timeout; a caller that goes away closes the connection."""
        response: transport.Response | None = None
        try:
            async with asyncio.timeout(call.request.timeout):
                response = await transport.send(call.request)
                content = await response.read()
            return response, content, _failure_of(response, call.request.forget_key(content))
        except errors.CallError as error:
            return response, b"", error
        except TimeoutError as error:
            return response, b"", transport.broken(call.request, error)
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.wrap_future(gate.gate.finish(call.ticket, _cancelled(call))))
            raise
        finally:
            if response is not None:
                with contextlib.suppress(Exception):
                    await response.close()

    @contextlib.asynccontextmanager
    async def astream(
        self,
        operation: str,
        *,
        context: Context,
        path: dict[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        timeout: float = 600.0,
    ) -> AsyncIterator[Stream]:
        """A streamed answer, byte for byte as it comes. The row is completed at its end, or where it broke or was left."""
        call = self._prepare(operation, context, path, query, json, None, timeout)
        call.ticket = await _admitted(
            call.ticket, gate.gate.arrive(call.ticket, {**call.row, "stream": True}, call.logged)
        )
        stream = Stream(call)
        try:
            await stream.open()
            yield stream
        finally:
            await asyncio.shield(stream.close())

    @contextlib.contextmanager
    def stream(self, operation: str, **options: Any) -> Iterator[Iterator[bytes]]:
        """`astream` for callers that are not asynchronous: gives an iterator of chunks."""
        _refuse_transaction()
        manager = self.astream(operation, **options)
        opened = loop.run(_enter(manager))
        try:
            yield _walk(opened)
        finally:
            loop.run(_leave(manager))

    def batch(self, deadline: float | None = None) -> AbstractContextManager[None]:
        """One of the installation's concurrent batch executions. Raises Rejected when none came free in time."""
        throttle = self.throttle if deadline is None else self.throttle.with_deadline(deadline)
        return gate.batch(throttle)

    def _prepare(
        self,
        name: str,
        context: Context,
        path: dict[str, str] | None,
        query: Any,
        json: Any,
        files: Files | None,
        timeout: float,
    ) -> _Call:
        operation = OPERATIONS[name]
        filled = operation.fill(path or {})
        call_id = uuid7()
        headers = {
            "accept": "application/json",
            "user-agent": "Patchbay",
            "x-client-request-id": str(call_id),
            **self.headers,
        }
        content = b""
        if files is not None:
            content, headers["content-type"] = multipart(json or {}, files)
        elif json is not None:
            content, headers["content-type"] = jsonlib.dumps(json, ensure_ascii=False).encode(), "application/json"
        request = transport.Request(operation.method, self.base_url + filled, headers, query, content, timeout)
        model = str(json.get("model", "")) if isinstance(json, dict) else (path or {}).get("model", "")
        row = {
            "id": call_id,
            **vars(self.origin),
            "operation": operation.id,
            "method": operation.method,
            "path": filled[:500],
            "model": model[:120],
            "correlation_id": context.correlation_id,
            "cause": context.cause,
            "cause_id": context.cause_id,
            "cause_label": context.cause_label[:200],
            "actor": context.actor,
        }
        logged = redaction.body(content, headers.get("content-type", ""), headers)
        return _Call(call_id, operation, request, model, self._ticket(call_id, model), row, logged)

    def _ticket(self, call_id: uuid.UUID, model: str) -> gate.Ticket:
        connection = f"connection:{self.origin.connection_id}" if self.origin.connection_id else ""
        return gate.Ticket(self.throttle, call_id, connection=connection, model=model)


class Stream:
    """An open streamed answer. `status` and `headers` are there from the start; iterate `chunks` for the bytes."""

    def __init__(self, call: _Call) -> None:
        self.call_id = call.id
        self._call = call
        self._reader = reading.StreamReader(call.request.forget_key)
        self._kept = b""
        self._size = 0
        self._failure: errors.CallError | None = None
        self._whole = False
        self._response: transport.Response | None = None

    async def open(self) -> None:
        try:
            async with asyncio.timeout(self._call.request.timeout):
                self._response = await transport.send(self._call.request)
                if self._response.status >= 300:
                    self._kept = await self._response.read()
                    self._size = len(self._kept)
                    self._failure = _failure_of(self._response, self._call.request.forget_key(self._kept))
        except errors.CallError as error:
            self._failure = error
        except TimeoutError as error:
            self._failure = transport.broken(self._call.request, error)
        if self._failure is not None:
            self._failure.call_id = self.call_id
            raise self._failure

    @property
    def status(self) -> int:
        return self._response.status if self._response else 0

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers if self._response else {}

    async def chunks(self) -> AsyncIterator[bytes]:
        assert self._response is not None  # noqa: S101 - `open` came first
        try:
            async for chunk in self._response.chunks():
                self._reader.feed(chunk)
                self._size += len(chunk)
                self._kept += chunk[: max(KEPT_OF_STREAM - len(self._kept), 0)]
                yield chunk
        except errors.CallError as error:
            self._failure = error
            error.call_id = self.call_id
            raise
        self._whole = True

    async def close(self) -> None:
        if self._response is not None:
            with contextlib.suppress(Exception):
                await self._response.close()
        await asyncio.wrap_future(gate.gate.finish(self._call.ticket, self._ended()))

    def _ended(self) -> Ended:
        found = self._reader.reading
        failure = self._failure or found.failure or self._cut_short()
        ended = _end(self._call, self._response, found, failure)
        content_type = self.headers.get("content-type", "")
        kept = redaction.body(self._call.request.forget_key(self._kept), content_type, self.headers)
        ended = replace(ended, answer=replace(kept, size=self._size, truncated=self._size > len(self._kept)))
        if failure is None and not self._whole:
            return replace(
                ended,
                state="cancelled",
                error_code="client_left",
                error_message="The reader left before the end of the stream.",
            )
        return ended

    def _cut_short(self) -> errors.CallError | None:
        """The bytes ended without the event that ends an answer: what was paid for is not known."""
        if self._whole and not self._reader.ended:
            return errors.OutcomeUnknown(
                "The stream ended before the answer did. What came is kept; OpenAI may have charged for all of it."
            )
        return None


async def _admitted(ticket: gate.Ticket, future: Any) -> gate.Ticket:
    """Wait for the gate. A caller that goes away leaves the line, or gives back what it was just given."""
    try:
        admitted: gate.Ticket = await asyncio.wrap_future(future)
        return admitted
    except asyncio.CancelledError:
        ended = Ended(
            "cancelled",
            error_code="client_left",
            error_message="The caller left while this waited in line. Nothing was sent.",
        )
        await asyncio.shield(asyncio.wrap_future(gate.gate.finish(ticket, ended)))
        raise


def _failure_of(response: transport.Response, content: bytes) -> errors.CallError | None:
    """What an answer that came whole means: an error of OpenAI's, a foreign answer, a failure inside 200, or none."""
    status = response.status
    kind = response.headers.get("content-type", "")
    if 300 <= status < 400:
        return errors.Redirected(
            f"The address answered with a redirect ({status}), which is not followed, so that the key goes nowhere else. "
            "Enter the final address as base URL.",
            http_status=status,
        )
    body = reading.parse(content) if "json" in kind or content[:1] in (b"{", b"[") else None
    if status >= 400:
        error = errors.ErrorBody.of(body)
        return errors.refused(status, error) if error else _foreign(status, kind)
    if "json" in kind and body is None and content:
        return _foreign(status, "text that is not the JSON it claims to be")
    if "html" in kind:
        return _foreign(status, kind)
    return reading.read(body).failure


def _foreign(status: int, kind: str) -> errors.NotOpenAI:
    return errors.NotOpenAI(
        f"The server answered {status} with {kind or 'no content type'}, which is not how OpenAI answers. "
        "Check the base URL; a proxy or another program may stand there.",
        http_status=status,
    )


def _judge(call: _Call, response: transport.Response | None, content: bytes, failure: errors.CallError | None) -> Ended:
    content = call.request.forget_key(content)
    body = reading.parse(content) if response is not None and len(content) <= reading.STREAM_LIMIT else None
    ended = _end(call, response, reading.read(body), failure)
    if response is None:
        return ended
    return replace(ended, answer=redaction.body(content, response.headers.get("content-type", ""), response.headers))


def _end(
    call: _Call, response: transport.Response | None, found: reading.Reading, failure: errors.CallError | None
) -> Ended:
    price, basis = pricing.cost(found, call.model, timezone.now()) if call.request.method == "POST" else (None, "")
    headers = response.headers if response else {}
    return Ended(
        state=_state(failure),
        http_status=response.status if response else None,
        request_id=headers.get("x-request-id", "")[:120],
        error_code=failure.code[:80] if failure else "",
        error_message=failure.sentence if failure else "",
        help_code=failure.help_code if failure else "",
        headers_at=timezone.now() if response else None,
        rate_limits={name: value for name, value in headers.items() if name.startswith(RATE_LIMIT_HEADERS)},
        object_id=found.object_id,
        model=found.model if not call.model else call.model,
        tokens=found.tokens if call.request.method == "POST" else {},
        cost=price,
        price_basis=basis,
        hard=failure is not None and failure.hard,
    )


def _state(failure: errors.CallError | None) -> str:
    if failure is None:
        return "done"
    return "unknown" if isinstance(failure, errors.OutcomeUnknown) else "failed"


def _cancelled(call: _Call) -> Ended:
    """The caller left while the request was on the wire; a request that changes something may have been carried out."""
    if call.request.repeatable:
        return Ended("cancelled", error_code="client_left", error_message="The caller left before the answer came.")
    return Ended(
        "unknown",
        error_code="client_left",
        error_message="The caller left before the answer came. OpenAI may have carried it out and charged for it.",
        help_code=errors.OutcomeUnknown.help_code,
    )


def multipart(values: Mapping[str, Any], files: Files) -> tuple[bytes, str]:
    """A multipart/form-data body and its content type (RFC 7578). `files`: field → (file name, content, content type)."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'.encode()
        for name, value in values.items()
    ]
    for name, (file_name, content, kind) in files.items():
        disposition = f'form-data; name="{_quoted(name)}"; filename="{_quoted(file_name)}"'
        head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: {kind}\r\n\r\n"
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _refuse_transaction() -> None:
    if connection.in_atomic_block:
        raise RuntimeError(
            "OpenAI is never called inside a database transaction: a rollback would erase what the log must keep."
        )


async def _enter(manager: Any) -> Stream:
    stream: Stream = await manager.__aenter__()
    return stream


async def _leave(manager: Any) -> None:
    await manager.__aexit__(None, None, None)


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


def _walk(stream: Stream) -> Iterator[bytes]:
    chunks = stream.chunks()
    while (chunk := loop.run(_next(chunks))) is not None:
        yield chunk
