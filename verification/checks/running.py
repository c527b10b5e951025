"""Seeing a run through, whether or not a worker is alive."""

from __future__ import annotations

from flows.actions import wait_for_run
from flows.engine import execute
from flows.models import Run
from logs.models import Call
from verification.subject import Outcome, call_ids, failed, log_links, record_link, run_link


def see_through(run: Run, seconds: float) -> Run:
    """The run after its end, or as it stands after so many seconds. The run's lease lets one process work on it."""
    execute(run.pk)
    return wait_for_run(run, seconds)


def calls_of(run: Run) -> tuple[str, ...]:
    """The log rows of a run: those of its items, or of its story."""
    items = call_ids(run.items.values_list("call_id", flat=True))
    return items or call_ids(Call.objects.filter(correlation_id=run.correlation_id).values_list("pk", flat=True)[:20])


def not_done(run: Run) -> Outcome:
    """What to say of a run that did not do what it was started for."""
    item = run.items.exclude(error="").first()
    why = (item.error if item else run.note) or f"It is {run.state_info.label.lower()}."
    calls = calls_of(run)
    evidence = [run_link(run), *log_links(calls)]
    if item:
        evidence.append(record_link(item.record))
    code = (item.help_code if item else run.help_code) or ""
    return failed(
        f"Run {run.pk} did not finish its work. {why}",
        "Open the run, do what it says, then run this check again.",
        help_code=code,
        evidence=evidence,
        calls=calls,
    )
