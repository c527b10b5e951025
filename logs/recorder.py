"""The write path of the log. Every function here runs inside the gate's transaction and never on its own.

A call's row is written before a byte leaves and completed after; what was written once as final is not written over,
except that an `unknown` outcome may still become known.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils import timezone

from logs.models import Attempt, Body, Call
from logs.redaction import Redacted

OPEN = ("queued", "sending", "retrying", "unknown")


@dataclass(frozen=True)
class Ended:
    """How an attempt (and, with `final`, its call) ended. `tokens` maps Call's token columns to counts."""

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


def open_call(values: dict[str, Any], request: Redacted) -> uuid.UUID:
    """The row of a call that nobody has sent yet, with its request body."""
    call = Call.objects.create(**values)
    _save_body(call.id, 0, request)
    return call.id


def start_attempt(call_id: uuid.UUID, number: int, waited_ms: int, wait_cause: str) -> None:
    """The row of an attempt, durable before the request goes over the wire."""
    now = timezone.now()
    Attempt.objects.create(
        call_id=call_id,
        number=number,
        queued_at=now - timedelta(milliseconds=waited_ms),
        started_at=now,
        queue_ms=waited_ms,
        wait_cause=wait_cause if waited_ms else "",
    )
    sent = {"sent_at": now} if number == 1 else {}
    Call.objects.filter(pk=call_id, state__in=OPEN).update(
        state="sending", attempts=number, queue_ms=F("queue_ms") + waited_ms, **sent
    )


def finish_attempt(
    call_id: uuid.UUID, number: int, ended: Ended, retry_reason: str = "", retry_ms: int | None = None
) -> None:
    now = timezone.now()
    Attempt.objects.filter(call_id=call_id, number=number).update(
        state=ended.state,
        finished_at=now,
        headers_at=ended.headers_at,
        http_status=ended.http_status,
        request_id=ended.request_id,
        error_code=ended.error_code,
        error_message=ended.error_message,
        rate_limits=ended.rate_limits,
        retry_reason=retry_reason,
        retry_after_ms=retry_ms,
    )
    if ended.answer is not None:
        _save_body(call_id, number, ended.answer)
    if retry_reason:
        Call.objects.filter(pk=call_id, state__in=OPEN).update(state="retrying")


def finish_call(call_id: uuid.UUID, ended: Ended) -> None:
    started = Attempt.objects.filter(call_id=call_id).values_list("started_at", "finished_at")
    spent = sum(((end or timezone.now()) - start).total_seconds() for start, end in started)
    values: dict[str, Any] = {
        "state": ended.state,
        "finished_at": timezone.now(),
        "http_status": ended.http_status,
        "request_id": ended.request_id,
        "error_code": ended.error_code[:80],
        "error_message": ended.error_message,
        "help_code": ended.help_code,
        "latency_ms": round(spent * 1000) if started else None,
        "cost": ended.cost,
        "price_basis": ended.price_basis,
        **ended.tokens,
    }
    if ended.object_id:
        values["object_id"] = ended.object_id[:120]
    if ended.model:
        values["model"] = ended.model[:120]
    Call.objects.filter(pk=call_id, state__in=OPEN).update(**values)


def _save_body(call_id: uuid.UUID, attempt: int, body: Redacted) -> None:
    Body.objects.update_or_create(
        call_id=call_id,
        attempt=attempt,
        defaults={
            "content_type": body.content_type[:120],
            "headers": body.headers,
            "text": body.text,
            "size": body.size,
            "truncated": body.truncated,
        },
    )
