"""A changed record starts a flow: a sample record is changed, and the installation's own flow must push it.

Where the installation has no flow for changes, one is added for the time of this check.
"""

from __future__ import annotations

import time

from django.utils import timezone

from flows.actions import add_flow, remove_flow, save_record
from flows.models import Flow, Record, Run
from flows.records import Cause
from mappings.models import Mapping
from verification.checks.running import calls_of, not_done, see_through
from verification.checks.sample_push import NO_SAMPLE
from verification.subject import (
    SAMPLE_ENTITY,
    Outcome,
    Subject,
    failed,
    log_links,
    passed,
    record_link,
    run_link,
    skipped,
)

SECONDS = 15.0
MARK = "Verified at"


def run(subject: Subject) -> Outcome:
    record = subject.sample()
    mapping = Mapping.objects.for_push(subject.installation, SAMPLE_ENTITY).first()
    if record is None or mapping is None:
        return skipped(
            f"The hub has no sample {SAMPLE_ENTITY} record to change."
            if record is None
            else f"This installation has no active mapping that sends {SAMPLE_ENTITY} records to OpenAI.",
            NO_SAMPLE if record is None else "Add or activate one under Mappings, direction from hub.",
        )
    clear(subject)
    own = Flow.objects.filter(mapping=mapping, trigger="on_change", active=True).first()
    if own:
        return _change_and_watch(subject, own, record)
    flow = add_flow(subject.actor, subject.installation, mapping, "on_change", sample_only=True)
    try:
        return _change_and_watch(subject, flow, record)
    finally:
        remove_flow(subject.actor, flow)


def clear(subject: Subject) -> None:
    """Remove the flow of a check that was cut off: it would push the samples for ever, and hold its mapping."""
    for flow in Flow.objects.filter(installation=subject.installation, sample_only=True):
        remove_flow(subject.actor, flow)


def _change_and_watch(subject: Subject, flow: Flow, record: Record) -> Outcome:
    began, known = time.monotonic(), set(Run.objects.filter(flow=flow).values_list("pk", flat=True))
    cause = Cause("check", correlation_id=subject.verification.correlation_id, only_flow=flow.pk)
    save_record(subject.actor, SAMPLE_ENTITY, record.key, custom={MARK: timezone.now().isoformat()}, cause=cause)
    run = Run.objects.filter(flow=flow, items__record=record).exclude(pk__in=known).first()
    if run is None:
        return failed(
            f"{record.key} was changed, but no flow started.",
            "Look at the record's history for the change, and at the flow's mapping. Then run this check again.",
            evidence=[record_link(record)],
        )
    run = see_through(run, SECONDS)
    if run.state != "done":
        return not_done(run)
    calls = calls_of(run)
    evidence = [run_link(run), record_link(record), *log_links(calls)]
    took = time.monotonic() - began
    return passed(
        f"{record.key} was changed, and run {run.pk} pushed it {took:.1f} s later.", evidence=evidence, calls=calls
    )
