"""Background work of the hub. Delivered at least once, so every task takes the run's lease before it does anything."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django_tasks import task

from flows.leases import give_back
from flows.models import REQUEUE, Run

log = logging.getLogger(__name__)


@task()
def run_push(run_id: int) -> None:
    # The engine saves records, and saving a record queues these tasks.
    from flows.engine import execute

    if execute(run_id):
        queue_again(run_id)


@task()
def run_pull(run_id: int) -> None:
    from flows.engine import execute

    execute(run_id)


def release_process(name: str) -> None:
    """Queue at once what an earlier process of this name was working on, before anybody has missed it."""
    if name:
        give_back(name)
        sweep()


def sweep() -> int:
    """Queue what nobody works on: runs of a killed worker, lost tasks, answers to ask for. Say how many were queued."""
    return sum(_queue(run) for run in Run.objects.due().only("pk", "kind")[:100])


def queue_again(run_id: int) -> int:
    return sum(_queue(run) for run in Run.objects.due().filter(pk=run_id).only("pk", "kind"))


def _queue(run: Run) -> bool:
    queued = _claim_queueing(run)
    if queued:
        (run_push if run.kind == "push" else run_pull).enqueue(run.pk)
    return queued


def _claim_queueing(run: Run) -> bool:
    """True for one of the workers that sweep at the same time."""
    now = timezone.now()
    stale = Q(enqueued_at=None) | Q(enqueued_at__lte=now - timedelta(seconds=REQUEUE))
    return Run.objects.filter(stale, pk=run.pk).update(enqueued_at=now) == 1
