"""How far a run is, as figures for its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, DecimalField, Sum
from django.db.models.functions import Cast
from django.utils import timezone

from flows.models import Run
from logs.models import Call
from ui.bars import Bar, stacked


@dataclass(frozen=True)
class Progress:
    """`percent` of the records are settled; `rate` is records a second; `left_ms` None when it can't be told."""

    percent: int
    settled: int
    done: int
    failed: int
    skipped: int
    unknown: int
    busy: int
    pending: int
    bars: list[Bar]
    elapsed_ms: float | None
    rate: float | None
    left_ms: float | None
    calls: int
    tokens: int | None
    cost: object


def progress_of(run: Run) -> Progress:
    pulled = {"done": run.done, "skipped": run.skipped, "failed": run.failed}
    counts = run.items.counts() if run.kind == "push" else pulled
    ended = {state: counts.get(state, 0) for state in ("done", "failed", "skipped", "unknown")}
    settled = sum(ended.values())
    busy = counts.get("working", 0) + counts.get("waiting", 0)
    elapsed = _elapsed_ms(run)
    rate = settled / (elapsed / 1000) if run.is_open and elapsed and settled else None
    total = max(run.total, 1)
    spent = _spent(run)
    return Progress(
        percent=100 * settled // total if run.total else (0 if run.is_open else 100),
        settled=settled,
        **ended,
        busy=busy,
        pending=counts.get("pending", 0),
        bars=_bars(counts, busy, total),
        elapsed_ms=elapsed,
        rate=rate,
        left_ms=(run.total - settled) / rate * 1000 if rate and run.total > settled else None,
        calls=spent["calls"],
        tokens=spent["tokens"],
        cost=spent["cost"],
    )


def _elapsed_ms(run: Run) -> float | None:
    if run.started_at is None:
        return None
    return ((run.finished_at or timezone.now()) - run.started_at).total_seconds() * 1000


def _bars(counts: dict[str, int], busy: int, total: int) -> list[Bar]:
    parts = [
        ("p-ok", counts.get("done", 0)),
        ("p-fail", counts.get("failed", 0)),
        ("p-unsure", counts.get("unknown", 0)),
        ("p-skip", counts.get("skipped", 0)),
        ("p-busy", busy),
    ]
    return stacked(parts, total)


def _spent(run: Run) -> dict[str, Any]:
    """Calls, tokens and dollars of what this run's items have led to so far."""
    if run.kind == "pull":
        calls = Call.objects.filter(cause="pull", cause_id=str(run.pk))
    else:
        items = run.items.annotate(name=Cast("pk", CharField())).values("name")
        calls = Call.objects.filter(cause="run item", cause_id__in=items)
    sums = calls.aggregate(tokens=Sum("total_tokens"), cost=Sum("cost", output_field=DecimalField()))
    return {"calls": calls.count(), **sums}
