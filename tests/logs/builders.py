"""Plain rows of the log. Every default may be overridden by name."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from logs.models import Attempt, AuditEntry, Body, Call


def ago(**length: float):
    return timezone.now() - timedelta(**length)


def call(**over: Any) -> Call:
    """A call that was answered, unless `state` says otherwise; made ten minutes ago."""
    made = over.pop("created_at", None) or ago(minutes=10)
    finished = (
        made + timedelta(seconds=1.3) if over.get("state", "done") not in ("queued", "sending", "retrying") else None
    )
    return Call.objects.create(
        **{
            "created_at": made,
            "finished_at": finished,
            "state": "done",
            "installation_id": 1,
            "installation_name": "OpenAI - Test",
            "connection_id": 1,
            "connection_name": "OpenAI main",
            "operation": "create_response",
            "method": "POST",
            "path": "/responses",
            "model": "gpt-6-luna",
            "attempts": 1,
            "http_status": 200,
            "latency_ms": 1300,
            "request_id": "req_1",
            "correlation_id": "c0ffee",
            "cause": "form",
            **over,
        }
    )


def calls(count: int, **over: Any) -> list[Call]:
    """`count` calls, the first one the newest, a second apart."""
    newest = over.pop("created_at", None) or ago(minutes=10)
    return [call(created_at=newest - timedelta(seconds=number), **over) for number in range(count)]


def answered(row: Call, number: int = 1, **over: Any) -> Attempt:
    """An attempt that starts 200 ms after the call was made (and 2 s after the one before) and takes 1 s."""
    started = over.pop("started_at", None) or row.created_at + timedelta(milliseconds=200 + 2000 * (number - 1))
    return Attempt.objects.create(
        **{
            "call_id": row.pk,
            "number": number,
            "state": "done",
            "queued_at": started,
            "started_at": started,
            "headers_at": started + timedelta(milliseconds=700),
            "finished_at": started + timedelta(seconds=1),
            "http_status": 200,
            **over,
        }
    )


def body(row: Call, attempt: int = 0, text: str = '{"model": "gpt-6-luna"}', **over: Any) -> Body:
    values = {"content_type": "application/json", "headers": {"content-type": "application/json"}, "size": len(text)}
    return Body.objects.create(call_id=row.pk, attempt=attempt, text=text, **{**values, **over})


def audited(**over: Any) -> AuditEntry:
    return AuditEntry.objects.create(
        **{"actor_name": "ada", "action": "changed", "object_kind": "connection", "object_name": "OpenAI main", **over}
    )


USAGE = {
    "input_tokens": 1204,
    "cached_tokens": 1024,
    "output_tokens": 386,
    "reasoning_tokens": 86,
    "total_tokens": 1590,
    "cost": Decimal("0.000843"),
}
