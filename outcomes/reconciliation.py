"""Asking OpenAI what became of a call that was sent and not answered.

A response is asked for by its id, where a stream told it before it broke. A batch is looked for among the newest ones: the
same input file, endpoint and metadata, made while the call was under way. Patchbay adds no mark of its own to metadata:
bodies pass through as their sender wrote them (16 pairs are all that OpenAI takes, and some are the sender's to read back),
and an input file is as good a mark, since it is uploaded for one batch. Everything else leaves no trace that can be asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from connections.clients import client_for
from connections.models import Installation
from connections.sealing import CannotOpen
from logs.audit import SYSTEM
from logs.context import Context
from logs.models import Body, Call
from openai_api.client import Client
from openai_api.errors import CallError, FailedInside, NotFound
from openai_api.reading import Reading, read

CAUSE = "reconciliation"
ASKABLE = ("create_response", "create_batch")
UNFINISHED = ("queued", "in_progress")
# OpenAI's clock and ours, and the time that a batch takes to be listed.
BEFORE, AFTER = timedelta(minutes=5), timedelta(minutes=10)
PAGES, ROWS = 5, 100


@dataclass(frozen=True)
class Found:
    """What OpenAI says. Without a `decision` it is asked again later, unless what it said is `final`. `used` is what it counted."""

    decision: str = ""
    note: str = ""
    final: bool = False
    used: Reading | None = None


LATER = Found()


def ask(call: Call) -> Found:
    """What OpenAI knows of this call now. Raises nothing that lies at OpenAI's end."""
    installation = Installation.objects.select_related("connection").filter(pk=call.installation_id or 0).first()
    if installation is None:
        return Found(note="Its installation was deleted, so OpenAI can't be asked.", final=True)
    try:
        client = client_for(installation)
        return _response(client, call) if call.operation == "create_response" else _batch(client, call)
    except (CallError, CannotOpen):
        return LATER


def _response(client: Client, call: Call) -> Found:
    if not call.object_id:
        return Found(note="OpenAI had not told the response's id, so it can't be asked about it.", final=True)
    try:
        path = {"response_id": call.object_id}
        body = client.call("get_response", path=path, context=_context(call)).json
    except NotFound:
        return Found(note=f"OpenAI does not keep {call.object_id}: it was not stored, or never finished.", final=True)
    except FailedInside as failed:
        return Found("not_done", f"{call.object_id} failed at OpenAI: {failed.sentence}")
    status = body.get("status") if isinstance(body, dict) else None
    if status in UNFINISHED:
        return Found(note=f"OpenAI is still working on {call.object_id}.")
    if status in ("completed", "incomplete"):
        return Found("done", f"OpenAI has {call.object_id} as {status}{_tokens(body)}.", used=read(body))
    if status == "cancelled":
        return Found("not_done", f"OpenAI has {call.object_id} as cancelled{_tokens(body)}.", used=read(body))
    return LATER


def _tokens(body: dict[str, Any]) -> str:
    usage = body.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return f", {total:,} tokens" if isinstance(total, int) else ""


def _batch(client: Client, call: Call) -> Found:
    asked = _asked(call)
    if asked is None:
        return Found(
            note="The log does not hold the whole request, so its batch can't be told from others.", final=True
        )
    known = set(Call.objects.filter(operation="create_batch").exclude(object_id="").values_list("object_id", flat=True))
    begun, ended = call.created_at - BEFORE, (call.finished_at or timezone.now()) + AFTER
    found = [
        str(row.get("id"))
        for row in _batches(client, call, begun.timestamp())
        if begun.timestamp() <= _created(row) <= ended.timestamp() and _alike(row, asked) and row.get("id") not in known
    ]
    if len(found) == 1:
        return Found("done", f"OpenAI has made the batch {found[0]}.")
    if found:
        return Found(note=f"OpenAI has several batches that it may be: {', '.join(found[:5])}.", final=True)
    if timezone.now() < ended:
        return LATER
    return Found("not_done", "OpenAI has no batch of this input file from that time.")


def _batches(client: Client, call: Call, since: float) -> Iterator[dict[str, Any]]:
    """The newest batches back to `since`. Raises LookupError where there are too many to look through."""
    query: dict[str, Any] = {"limit": ROWS}
    for _ in range(PAGES):
        page = client.call("list_batches", query=query, context=_context(call)).json
        rows = [row for row in page.get("data", []) if isinstance(row, dict)] if isinstance(page, dict) else []
        yield from rows
        if not rows or not page.get("has_more") or _created(rows[-1]) < since:
            return
        query = {"limit": ROWS, "after": rows[-1].get("id")}
    raise CallError("There are too many batches to look through.")


def _created(row: dict[str, Any]) -> float:
    value = row.get("created_at")
    return float(value) if isinstance(value, (int, float)) else 0.0


def _alike(row: dict[str, Any], asked: dict[str, Any]) -> bool:
    same = all(row.get(name) == asked.get(name) for name in ("input_file_id", "endpoint"))
    return same and (row.get("metadata") or {}) == (asked.get("metadata") or {})


def _asked(call: Call) -> dict[str, Any] | None:
    body = Body.objects.filter(call_id=call.pk, attempt=0, truncated=False).first()
    try:
        asked = json.loads(body.text) if body else None
    except ValueError:
        return None
    return asked if isinstance(asked, dict) and asked.get("input_file_id") else None


def _context(call: Call) -> Context:
    return Context(CAUSE, str(call.pk), f"{call.title} {call.short_id}", SYSTEM.name, call.correlation_id)
