"""The client: every OpenAI call of every feature goes down this staircase.

call → prepare → passage (see `openai_api.passage`): in line, over the wire, retried, answered, closed
"""

from __future__ import annotations

import asyncio
import contextlib
import json as jsonlib
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from django.db import connection

from logs import redaction
from logs.context import Context
from logs.ids import uuid7
from openai_api import gate, loop, reading, transport
from openai_api.catalogue import OPERATIONS, find
from openai_api.estimate import expected
from openai_api.multipart import Files, multipart
from openai_api.passage import Passage
from openai_api.retries import RetryPolicy
from openai_api.throttle import Throttle
from openai_api.upload import Upload

NO_RETRIES = RetryPolicy(count=0)


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

    @property
    def hold_key(self) -> str:
        """What the gate calls this connection when it holds its calls back."""
        return f"connection:{self.connection_id}" if self.connection_id else ""


@dataclass(frozen=True)
class Head:
    """Headers to pass on, as they are sent (the key among them) and as the log keeps them. `kind` is the content type."""

    sent: Mapping[str, str] = field(repr=False)
    logged: Mapping[str, str]
    kind: str


@dataclass(slots=True)
class Forwarded:
    """A request to pass on. `path` begins with / below the base URL, `query` is as it came.

    The body is `content`, or `stream` of `size` bytes (-1 when that is not known).
    """

    method: str
    path: str
    query: str
    head: Head
    content: bytes = field(default=b"", repr=False)
    stream: Upload | None = None
    size: int = 0
    timeout: float = 600.0


@dataclass(frozen=True)
class Client:
    """A connection ready to be called. Made by `connections.clients`, which alone opens the key inside `headers`.

    The calls of a `probe` pass where a connection is stopped because it fails: they find out whether it still does.
    `retries` is the policy of calls that bring none of their own.
    """

    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    throttle: Throttle
    origin: Origin
    probe: bool = False
    retries: RetryPolicy = RetryPolicy()

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
        unlogged: tuple[str, ...] = (),
    ) -> Answer:
        """Call one operation of the catalogue and wait for the whole answer. `timeout` is in seconds, for each attempt.

        The values in `unlogged` are sent, and the log does not get to see them, in the answer neither.

        Raises a CallError (see `openai_api.errors`) whose `call_id` names the row in the log.
        """
        retries = retries or self.retries
        passage = self._prepare(operation, context, path, query, json, files, timeout, retries, unlogged)
        await passage.open(whole=True)
        await passage.close()
        if passage.failure:
            raise passage.failure
        return Answer(passage.call_id, passage.status, passage.headers, passage.content or b"")

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
    ) -> AsyncIterator[Passage]:
        """A streamed answer, byte for byte as it comes. The row is completed at its end, or where it broke or was left."""
        passage = self._prepare(operation, context, path, query, json, None, timeout, NO_RETRIES)
        passage.row["stream"] = True
        try:
            await passage.open(whole=False)
            if passage.failure:
                raise passage.failure
            yield passage
        finally:
            await asyncio.shield(passage.close())

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

    def head(self, headers: Mapping[str, str]) -> Head:
        """Headers (lower-case names) of a request to pass on, with the connection's own. May be kept and used again."""
        sent = {**headers, **self.headers}
        return Head(sent, redaction.headers(sent), sent.get("content-type", ""))

    def forward(self, asked: Forwarded, context: Context, retries: RetryPolicy) -> Passage:
        """Someone else's request to OpenAI, as it is but for the key. The caller opens the passage and closes it."""
        call_id, head = uuid7(), asked.head
        own = {"x-client-request-id": str(call_id)}
        if asked.stream is not None and asked.size >= 0:
            own["content-length"] = str(asked.size)
        headers, shown = {**head.sent, **own}, {**head.logged, **own}
        target = self.base_url + asked.path + (f"?{asked.query}" if asked.query else "")
        request = transport.Request(
            asked.method, target, headers, None, asked.content, asked.stream, timeout=asked.timeout
        )
        kind = head.kind
        body = reading.parse(asked.content) if "json" in kind and len(asked.content) <= reading.STREAM_LIMIT else None
        if asked.stream is None:
            logged = redaction.shown(asked.content, kind, shown)
        else:
            text = f"[{kind or 'no content type'}, {asked.size} bytes, passed on as they came]"
            logged = redaction.Redacted(text, max(asked.size, 0), True, kind, shown)
        operation = find(asked.method, asked.path)
        return self._passage(call_id, request, operation, asked.path, body, logged, context, retries)

    def _prepare(
        self,
        name: str,
        context: Context,
        path: dict[str, str] | None,
        query: Any,
        json: Any,
        files: Files | None,
        timeout: float,
        retries: RetryPolicy,
        unlogged: tuple[str, ...] = (),
    ) -> Passage:
        operation, path = OPERATIONS[name], path or {}
        filled = operation.fill(path)
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
        request = transport.Request(
            operation.method, self.base_url + filled, headers, query, content, timeout=timeout, unlogged=unlogged
        )
        kept = redaction.leave_out(content, unlogged, numbers=True)
        logged = replace(redaction.body(kept, headers.get("content-type", ""), headers), size=len(content))
        body = json if isinstance(json, dict) else {"model": path.get("model", "")}
        return self._passage(call_id, request, operation.id, filled, body, logged, context, retries)

    def _passage(
        self,
        call_id: uuid.UUID,
        request: transport.Request,
        operation: str,
        path: str,
        body: Any,
        logged: redaction.Redacted,
        context: Context,
        retries: RetryPolicy,
    ) -> Passage:
        asked = body if isinstance(body, dict) else {}
        model = str(asked.get("model") or "")[:120]
        tokens, cost = expected(self.throttle, model, len(request.content), asked)
        row = {
            "id": call_id,
            **vars(self.origin),
            "operation": operation[:80],
            "method": request.method,
            "path": _logged(path),
            "model": model,
            "stream": asked.get("stream") is True,
            "correlation_id": context.correlation_id,
            "cause": context.cause,
            "cause_id": context.cause_id,
            "cause_label": context.cause_label[:200],
            "actor": context.actor,
            "tags": context.tags,
        }
        ticket = gate.Ticket(
            self.throttle,
            call_id,
            connection=self.origin.hold_key,
            model=model,
            tokens=tokens,
            cost=cost,
            probe=self.probe,
            id=call_id,
        )
        return Passage(call_id, request, ticket, row, logged, model, retries)


@lru_cache(maxsize=1024)
def _logged(path: str) -> str:
    return redaction.clean(path)[:500]


def _refuse_transaction() -> None:
    if connection.in_atomic_block:
        raise RuntimeError(
            "OpenAI is never called inside a database transaction: a rollback would erase what the log must keep."
        )


async def _enter(manager: Any) -> Passage:
    passage: Passage = await manager.__aenter__()
    return passage


async def _leave(manager: Any) -> None:
    await manager.__aexit__(None, None, None)


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


def _walk(passage: Passage) -> Iterator[bytes]:
    chunks = passage.chunks()
    while (chunk := loop.run(_next(chunks))) is not None:
        yield chunk
