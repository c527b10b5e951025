"""Seeing a run through, whether or not a worker is alive."""

from __future__ import annotations

import time

from flows.actions import wait_for_run
from flows.engine import execute
from flows.models import Run
from logs.models import Call
from verification.subject import Outcome, call_ids, failed, log_links, record_link, remedy_for, run_link, skipped

# Seconds between two looks at a run that waits for OpenAI.
STEP = 1.0


def see_through(run: Run, seconds: float) -> Run:
    """The run after its end, or as it stands after so many seconds. The run's lease lets one process work on it."""
    end = time.monotonic() + seconds
    while True:
        execute(run.pk)
        run = wait_for_run(run, min(STEP, max(end - time.monotonic(), 0)))
        if not run.is_open or time.monotonic() >= end:
            return run


def calls_of(run: Run) -> tuple[str, ...]:
    """The log rows of a run: those of its items, or of its story."""
    items = call_ids(run.items.values_list("call_id", flat=True))
    return items or call_ids(Call.objects.filter(correlation_id=run.correlation_id).values_list("pk", flat=True)[:20])


RETRY = "Open the run: it names the reason, and retries what failed once that is mended."
LEFT_OUT = "See the filter and the sync type of the mapping, then run this check again."
GOES_ON = "The run goes on by itself. Open it and watch its end; if it stands still, see that a worker runs."


def _standing(run: Run) -> str:
    if run.is_open:
        return f"It has not ended in the time that this check gives it, and is {run.state_info.label.lower()}."
    return f"It ended {run.state_info.label.lower()}, with {run.done} of {run.total} done and {run.skipped} skipped."


def not_done(run: Run) -> Outcome:
    """What to say of a run that did not do what it was started for. One whose mapping left everything out has not failed."""
    item = run.items.exclude(error="").first()
    why = (item.error if item else run.note) or _standing(run)
    calls = calls_of(run)
    evidence = [run_link(run), *log_links(calls)]
    if item:
        evidence.append(record_link(item.record))
    if run.state == "done" and run.skipped == run.total:
        return skipped(f"Run {run.pk} sent nothing. {why}", LEFT_OUT, evidence=evidence, calls=calls)
    code = (item.help_code if item else run.help_code) or ""
    return failed(
        f"Run {run.pk} did not finish its work. {why}",
        remedy_for(code, GOES_ON if run.is_open else RETRY),
        help_code=code,
        evidence=evidence,
        calls=calls,
    )
