"""A sample record goes to OpenAI, and its answer comes back into the record."""

from __future__ import annotations

from django.urls import reverse

from flows.actions import CannotStart, start_push
from verification.checks.running import calls_of, not_done, see_through
from verification.subject import (
    SAMPLE_ENTITY,
    Outcome,
    Subject,
    link,
    log_links,
    passed,
    record_link,
    run_link,
    skipped,
)

SECONDS = 60.0
NO_SAMPLE = "Samples come with each new installation. Apply one, then run this check again."


def run(subject: Subject) -> Outcome:
    record = subject.sample()
    if record is None:
        return skipped(f"The hub has no sample {SAMPLE_ENTITY} record to push.", NO_SAMPLE)
    try:
        run = start_push(
            subject.actor,
            subject.installation,
            SAMPLE_ENTITY,
            [record],
            correlation_id=subject.verification.correlation_id,
        )
    except CannotStart as reason:
        return skipped(str(reason), "Then run this check again.", evidence=[link("Mappings", reverse("mappings:list"))])
    run = see_through(run, SECONDS)
    if run.state != "done" or run.done != 1:
        return not_done(run)
    calls = calls_of(run)
    item = run.items.get()
    came = f"{item.written} came back." if item.written else "No mapping writes the answer into the record."
    evidence = [run_link(run), record_link(record), *log_links(calls)]
    return passed(f"{record.key} was sent and answered. {came}", evidence=evidence, calls=calls)
