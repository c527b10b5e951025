"""Clearing up after processes that died: slots come free, and calls that were on the wire become `unknown`, not lost."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from logs import bulk
from logs.models import Attempt, Call
from logs.recorder import Ended, Page
from openai_api.gate import state
from openai_api.models import Permit
from openai_api.throttle import Throttle
from ui.help import OUTCOME_UNKNOWN, PROCESS_STOPPED

GONE_WIRE = (
    "The process stopped after this was sent and before the answer was read. It may have been carried out and paid. "
    "Look at OpenAI before you send it again."
)
GONE_READ = "The process stopped before the answer was read. Nothing was changed by it; it can simply be repeated."
GONE_LINE = "The process stopped while this waited in line. Nothing was sent; it can simply be repeated."
GONE_RETRY = "The process stopped before this was tried again. What came of the last attempt stands in the timeline."


def sweep() -> int:
    """Release every permit whose lease ran out. Called by the workers every few seconds; returns how many there were."""
    with transaction.atomic():
        state.take_lock()
        return _release(Permit.objects.filter(lease_until__lte=state.clock()))


def release_process(name: str) -> int:
    """Release what an earlier process of this name held. The supervisor gives a name only after its bearer has ended."""
    if not name:
        return 0
    with transaction.atomic():
        state.take_lock()
        return _release(Permit.objects.filter(holder=name))


def _release(found: QuerySet[Permit]) -> int:
    permits = list(found)
    now, page, tallies = state.clock(), Page(), state.Tallies()
    calls = Call.objects.in_bulk({permit.call_id for permit in permits if permit.call_id})
    for permit in permits:
        if permit.state == "held":
            _count(permit, tallies, now)
        if call := calls.get(permit.call_id):
            _end_call(call, permit, page)
    bulk.delete(Permit, [permit.pk for permit in permits])
    tallies.write()
    page.write()
    return len(permits)


def _count(permit: Permit, tallies: state.Tallies, now: float) -> None:
    """What was on the wire may have been counted and paid by OpenAI up to the moment its process died, at the latest now."""
    if permit.counted and permit.seconds:
        tallies.place(permit.key, permit.seconds, now + permit.seconds)
    owner = Throttle(permit.key, tokens=permit.tokens)
    tallies.tokens(owner, permit.tokens, now)
    tallies.spend(owner, permit.tokens, permit.cost, now)


def _end_call(call: Call, permit: Permit, page: Page) -> None:
    if permit.state != "held":
        in_line = GONE_LINE if permit.attempt == 1 else GONE_RETRY
        ended = Ended("failed", error_code="process_stopped", error_message=in_line, help_code=PROCESS_STOPPED)
        page.finish_call(call.id, ended, call.latency_ms)
        return
    repeatable = call.method in ("GET", "HEAD")
    ended = Ended(
        "failed" if repeatable else "unknown",
        error_code="process_stopped",
        error_message=GONE_READ if repeatable else GONE_WIRE,
        help_code=PROCESS_STOPPED if repeatable else OUTCOME_UNKNOWN,
    )
    page.finish_attempt(call.id, permit.attempt, ended)
    page.finish_call(call.id, ended, _spent(call))


def _spent(call: Call) -> int:
    """Milliseconds on the wire over all attempts, the open one up to now."""
    now = timezone.now()
    spans = Attempt.objects.filter(call_id=call.id).values_list("started_at", "finished_at")
    return round(sum(((end or now) - start).total_seconds() for start, end in spans) * 1000)
