"""What pages, commands, webhooks and checks may do with records and runs."""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction
from django.utils import timezone

from connections.models import Installation
from flows.engine import execute, finish_waiting, settle
from flows.models import Flow, Item, Run
from flows.records import save_record
from flows.starting import CannotStart, enqueue, new_pull, run_flow, start_pull, start_push
from flows.states import RUN_FINAL
from logs import audit
from logs.audit import Actor
from logs.context import Context
from mappings.models import Mapping
from operations.models import Preset

__all__ = [
    "CannotStart",
    "add_flow",
    "cancel_run",
    "decide",
    "decide_all",
    "finish_response",
    "pull_now",
    "remove_flow",
    "retry_failed",
    "run_flow",
    "save_record",
    "start_pull",
    "start_push",
    "switch_flow",
    "unlogged_of",
    "wait_for_run",
]

LOOK_EVERY = 0.1


def pull_now(actor: Actor, installation: Installation, source: str, correlation_id: str = "") -> Run:
    """Pull here and now, in this process; the run that is returned has ended, unless its worker was cut off.

    Raises CannotStart for an unknown source.
    """
    run = new_pull(actor, installation, source, correlation_id)
    execute(run.pk)
    run.refresh_from_db()
    return run


def finish_response(installation: Installation, response: dict[str, Any], context: Context) -> Item | None:
    """Finish the item that waits for this response, and say which one it was; None when none waits for it.

    A response that is not finished yet leaves its item waiting.
    """
    waiting = Item.objects.filter(run__installation=installation, state="waiting", response_id=response.get("id", ""))
    item = waiting.select_related("record__entity", "run__installation").first() if response.get("id") else None
    if item is None:
        return None
    finish_waiting(item, response)
    item.refresh_from_db()
    return item


def unlogged_of(installation: Installation, response_id: str) -> tuple[str, ...]:
    """What the log must not hold of the answer that an item waits for."""
    waiting = Item.objects.filter(run__installation=installation, response_id=response_id)
    return tuple(value for item in waiting.only("unlogged") for value in item.unlogged)


def wait_for_run(run: Run, timeout: float) -> Run:
    """Wait until the run has ended, at most `timeout` seconds; its `state` says whether it has."""
    end = time.monotonic() + timeout
    while True:
        run.refresh_from_db()
        if not run.is_open or time.monotonic() >= end:
            return run
        time.sleep(LOOK_EVERY)


def cancel_run(actor: Actor, run: Run) -> None:
    """Send no further item. Calls that are under way are finished and paid; what is done stays."""
    with transaction.atomic():
        if not Run.objects.open().filter(pk=run.pk, cancelled=False).update(cancelled=True):
            return
        run.items.filter(state__in=["pending", "waiting"]).update(
            state="skipped", error=f"The run was cancelled by {actor.name}.", finished_at=timezone.now()
        )
        Run.objects.filter(pk=run.pk, kind="pull", state="queued").update(state="running")
        audit.write(actor, "cancelled", "run", run.pk, str(run))
    if not Run.objects.unled().filter(pk=run.pk).exists():
        return
    settle(run.pk)


def retry_failed(actor: Actor, run: Run) -> int:
    """Put the failed items of an ended run in line again; say how many. Items of unknown outcome are not among them."""
    with transaction.atomic():
        count = run.items.filter(state="failed").update(state="pending", finished_at=None)
        if count:
            _reopen(run)
            audit.write(actor, "retried failed", "run", run.pk, f"{count} of {run}")
    return count


def decide(actor: Actor, item: Item, send_again: bool) -> bool:
    """A person's decision about an item of unknown outcome. False when it was decided already."""
    unknown = Item.objects.filter(pk=item.pk, state="unknown")
    with transaction.atomic():
        if not unknown.update(state="pending" if send_again else "failed"):
            return False
        what = "sent again" if send_again else "marked as failed"
        audit.write(actor, what, "run item", item.pk, f"{item.record} of {item.run}")
        if send_again:
            _reopen(item.run)
    if not send_again:
        settle(item.run_id)
    return True


def decide_all(actor: Actor, run: Run, send_again: bool) -> int:
    """The same decision about every item of unknown outcome; say how many there were."""
    with transaction.atomic():
        count = run.items.filter(state="unknown").update(state="pending" if send_again else "failed")
        if count:
            what = "sent again" if send_again else "marked as failed"
            audit.write(actor, what, "run", run.pk, f"{count} of unknown outcome of {run}")
        if count and send_again:
            _reopen(run)
    settle(run.pk)
    return count


def _reopen(run: Run) -> None:
    ended = Run.objects.filter(pk=run.pk, state__in=RUN_FINAL)
    if ended.update(state="queued", finished_at=None, cancelled=False):
        run.refresh_from_db()
    enqueue(run)


def add_flow(
    actor: Actor,
    installation: Installation,
    mapping: Mapping,
    trigger: str = "on_change",
    sample_only: bool = False,
    preset: Preset | None = None,
) -> Flow:
    """Put a mapping to work: from now on each changed record of its entity is pushed, or all of them when asked to.

    With a `preset`, that is what is sent for each record that the mapping lets pass.
    """
    with transaction.atomic():
        name = f"{mapping.name} {'when a record changes' if trigger == 'on_change' else 'by hand'}"
        flow = Flow.objects.create(
            installation=installation,
            mapping=mapping,
            name=name,
            trigger=trigger,
            sample_only=sample_only,
            preset=preset,
        )
        audit.write(actor, "added", "flow", flow.pk, flow.name, {"preset": [None, preset.name]} if preset else {})
    return flow


def switch_flow(actor: Actor, flow: Flow, active: bool) -> None:
    with transaction.atomic():
        if Flow.objects.filter(pk=flow.pk, active=not active).update(active=active):
            audit.write(actor, "switched on" if active else "switched off", "flow", flow.pk, flow.name)
    flow.active = active


def remove_flow(actor: Actor, flow: Flow) -> None:
    with transaction.atomic():
        audit.write(actor, "removed", "flow", flow.pk, flow.name)
        flow.delete()
