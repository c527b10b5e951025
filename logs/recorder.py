"""The write path of the log. What one turn of the gate has to say is collected in a `Page` and written in a few statements.

A call's row is written before a byte leaves and completed after; what was written once as final is not written over,
except that an `unknown` outcome may still become known. A page is written inside the gate's transaction, never on its own.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from logs import bulk
from logs.models import Attempt, Body, Call
from logs.redaction import Redacted

OPEN = ("queued", "sending", "retrying", "unknown")
STILL_OPEN = f"t.state IN ({', '.join(repr(state) for state in OPEN)})"
Row = dict[str, Any]
# A call's id as the database takes it (`bulk.ready`): it stands in half a dozen rows.
Key = Any


@dataclass(slots=True)
class Ended:
    """How an attempt (and, with its last one, its call) ended. `tokens` maps Call's token columns to counts.

    `hard` says that the connection itself is broken (key, credit, address): the next call cannot fare better. `spent_ms` is
    the time from the sending (`sent_at`) to the end of the answer (`over_at`), both by this process's monotonic clock; None where
    nobody measured it.
    """

    state: str
    http_status: int | None = None
    request_id: str = ""
    error_code: str = ""
    error_message: str = ""
    help_code: str = ""
    headers_at: datetime | None = None
    rate_limits: dict[str, str] = field(default_factory=dict)
    answer: Redacted | None = None
    object_id: str = ""
    model: str = ""
    tokens: dict[str, int] = field(default_factory=dict)
    cost: Decimal | None = None
    price_basis: str = ""
    hard: bool = False
    spent_ms: int | None = None
    sent_at: float | None = None
    over_at: float | None = None


class Page:
    """Rows to insert and changes to make. A row that is inserted and changed in one turn is inserted as it ends up."""

    def __init__(self) -> None:
        self._calls: dict[Key, Row] = {}
        self._attempts: dict[tuple[Key, int], Row] = {}
        self._bodies: list[Row] = []
        self._call_changes: dict[Key, Row] = defaultdict(dict)
        self._attempt_changes: dict[tuple[Key, int], Row] = {}
        self._moments = bulk.Moments(timezone.now())
        self._now = self._moments.now

    def open_call(self, values: Row, request: Redacted) -> None:
        """The row of a call that nobody has sent yet, with its request body. `values` are Call's fields, `id` among them."""
        key = bulk.ready(values["id"])
        self._calls[key] = {"created_at": self._now, **values, "id": key}
        self._body(key, 0, request)

    def start_attempt(
        self, attempt_id: uuid.UUID, call_id: uuid.UUID, number: int, waited_ms: int, queue_ms: int, wait_cause: str
    ) -> None:
        """An attempt that may now go over the wire. `waited_ms` is its own time in line, `queue_ms` that of all attempts."""
        now, key = self._now, bulk.ready(call_id)
        self._attempts[key, number] = {
            "id": key if attempt_id == call_id else bulk.ready(attempt_id),
            "call_id": key,
            "number": number,
            "queued_at": self._moments.ago(waited_ms / 1000) if waited_ms else now,
            "started_at": now,
            "queue_ms": waited_ms,
            "wait_cause": wait_cause if waited_ms else "",
        }
        sent = {"sent_at": now} if number == 1 else {}
        self._change(key, {"state": "sending", "attempts": number, "queue_ms": queue_ms, **sent})

    def finish_attempt(
        self,
        call_id: uuid.UUID,
        number: int,
        ended: Ended,
        ago: float = 0.0,
        retry_reason: str = "",
        retry_ms: int | None = None,
    ) -> None:
        """How an attempt ended, `ago` seconds before, and, where the call goes on, why and after how many milliseconds."""
        key = bulk.ready(call_id)
        change = {
            "state": ended.state,
            "finished_at": self._moments.ago(ago),
            "headers_at": ended.headers_at,
            "http_status": ended.http_status,
            "request_id": ended.request_id[:120],
            "error_code": ended.error_code[:80],
            "error_message": ended.error_message,
            "rate_limits": ended.rate_limits,
        }
        if ended.sent_at is not None and ended.over_at is not None:
            # It was let in with the row that says so, and sent when that was durable.
            change["started_at"] = self._moments.ago(ago + ended.over_at - ended.sent_at)
        if retry_reason:
            change |= {"retry_reason": retry_reason[:200], "retry_after_ms": retry_ms}
            self._change(key, {"state": "retrying"})
        if (key, number) in self._attempts:
            self._attempts[key, number].update(change)
        else:
            self._attempt_changes[key, number] = {"call_id": key, "number": number, **change}
        if ended.answer is not None:
            self._body(key, number, ended.answer)

    def finish_call(self, call_id: uuid.UUID, ended: Ended, latency_ms: int | None, ago: float = 0.0) -> None:
        """The end of a call, `ago` seconds before. `latency_ms` is the time at OpenAI over all attempts, None for one not sent."""
        change = {
            "state": ended.state,
            "finished_at": self._moments.ago(ago),
            "http_status": ended.http_status,
            "request_id": ended.request_id[:120],
            "error_code": ended.error_code[:80],
            "error_message": ended.error_message,
            "help_code": ended.help_code,
            "latency_ms": latency_ms,
            "cost": ended.cost,
            "price_basis": ended.price_basis[:200],
            **ended.tokens,
        }
        if ended.object_id:
            change["object_id"] = ended.object_id[:120]
        if ended.model:
            change["model"] = ended.model[:120]
        self._change(bulk.ready(call_id), change)

    def write(self) -> None:
        """Write everything. Runs inside a transaction of the caller's."""
        bulk.insert(Call, list(self._calls.values()))
        bulk.insert(Body, self._bodies, on=("call_id", "attempt"))
        bulk.insert(Attempt, list(self._attempts.values()))
        bulk.update(Attempt, list(self._attempt_changes.values()), key=("call_id", "number"))
        changes = [{"id": key, **change} for key, change in self._call_changes.items()]
        bulk.update(Call, changes, where=STILL_OPEN)

    def _change(self, key: Key, change: Row) -> None:
        new = self._calls.get(key)
        (self._call_changes[key] if new is None else new).update(change)

    def _body(self, key: Key, attempt: int, body: Redacted) -> None:
        self._bodies.append(
            {
                "call_id": key,
                "attempt": attempt,
                "content_type": body.content_type[:120],
                "headers": body.headers,
                "text": body.text,
                "size": body.size,
                "truncated": body.truncated,
                "created_at": self._now,
            }
        )
