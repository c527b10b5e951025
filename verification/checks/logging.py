"""Every call of this verification stands in the integration log, once and complete."""

from __future__ import annotations

import time
from uuid import UUID

from logs.models import Attempt, Call
from logs.states import ATTEMPT_STATES, CALL_STATES
from openai_api.errors import CallError
from ui.states import final
from verification.models import CheckResult
from verification.subject import Outcome, Subject, call_ids, failed, link, passed

# A worker may be about to complete the row of a call that another check waited for.
SECONDS, LOOK_EVERY = 3.0, 0.1


def run(subject: Subject) -> Outcome:
    own = call_ids([_own_call(subject)])
    results = CheckResult.objects.filter(verification=subject.verification).values_list("call_ids", flat=True)
    wanted = {*own, *(call for calls in results for call in calls)}
    end = time.monotonic() + SECONDS
    while (faults := faults_of(wanted, subject.verification.correlation_id)) and time.monotonic() < end:
        time.sleep(LOOK_EVERY)
    evidence = [link("Calls of this verification", subject.log_url)]
    if faults:
        remedy = (
            "A call that is still under way may end in a moment: run this check again. "
            "If it fails again, report it with the log entries; calls went past the log."
        )
        return failed(" ".join(faults[:5]), remedy, evidence=evidence, calls=own)
    sentence = f"Each of the {len(wanted)} calls of this verification is in the log, once and complete."
    return passed(sentence, evidence=evidence, calls=own)


def _own_call(subject: Subject) -> UUID | None:
    """One more call, so that there is something to find when this check runs alone."""
    try:
        return subject.client.call("list_models", context=subject.context("logging")).call_id
    except CallError as error:
        return error.call_id


def faults_of(wanted: set[str], correlation_id: str) -> list[str]:
    """What is wrong with the log rows of the calls that were made, one sentence each; nothing where all is well."""
    calls = {str(call.pk): call for call in Call.objects.filter(pk__in=wanted)}
    story = Call.objects.filter(correlation_id=correlation_id).exclude(pk__in=wanted)
    missing = [f"Call {call[-8:]} is not in the log." for call in sorted(wanted - calls.keys())]
    open_calls = [
        f"Call {call.short_id} is {call.state_info.label.lower()}, not ended."
        for call in [*calls.values(), *story]
        if call.state not in final(CALL_STATES) or call.finished_at is None
    ]
    return [*missing, *open_calls, *(fault for call in calls.values() for fault in _attempt_faults(call))]


def _attempt_faults(call: Call) -> list[str]:
    attempts = list(Attempt.objects.filter(call_id=call.pk).order_by("number"))
    if [attempt.number for attempt in attempts] != list(range(1, call.attempts + 1)):
        return [f"Call {call.short_id} says {call.attempts} attempts, and {len(attempts)} are in the log."]
    ended = all(attempt.state in final(ATTEMPT_STATES) for attempt in attempts)
    return [] if ended else [f"An attempt of call {call.short_id} has not ended."]
