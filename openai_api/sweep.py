"""Clearing up after processes that died: slots come free, and calls that were on the wire become `unknown`, not lost."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import QuerySet

from logs import recorder
from logs.models import Call
from openai_api.gate import clock
from openai_api.models import Permit
from ui.help import OUTCOME_UNKNOWN

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
        return _release(Permit.objects.exclude(state="ended").filter(lease_until__lte=clock()))


def release_process(name: str) -> int:
    """Release what an earlier process of this name held. The supervisor gives a name only after its bearer has ended."""
    if not name:
        return 0
    with transaction.atomic():
        return _release(Permit.objects.exclude(state="ended").filter(holder=name))


def _release(permits: QuerySet[Permit]) -> int:
    count = 0
    for permit in permits.select_for_update() if connection.vendor == "postgresql" else permits:
        held = permit.state == "held"
        # What was on the wire may have been counted by OpenAI up to the moment its process died, at the latest now.
        until = clock() + permit.seconds if held else 0
        count += Permit.objects.filter(pk=permit.pk, state=permit.state).update(state="ended", counts_until=until)
        _end_call(permit, held)
    return count


def _end_call(permit: Permit, held: bool) -> None:
    if permit.call_id is None or (call := Call.objects.filter(pk=permit.call_id).first()) is None:
        return
    in_line = GONE_LINE if permit.attempt == 1 else GONE_RETRY
    ended = recorder.Ended("failed", error_code="process_stopped", error_message=in_line)
    if held:
        repeatable = call.method in ("GET", "HEAD")
        ended = recorder.Ended(
            "failed" if repeatable else "unknown",
            error_code="process_stopped",
            error_message=GONE_READ if repeatable else GONE_WIRE,
            help_code="" if repeatable else OUTCOME_UNKNOWN,
        )
        recorder.finish_attempt(permit.call_id, permit.attempt, ended)
    recorder.finish_call(permit.call_id, ended)
