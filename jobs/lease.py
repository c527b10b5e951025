"""A task belongs to its worker for as long as the worker is heard of.

`django-tasks-db` alone loses the task of a killed worker: its row stays RUNNING. Here every worker beats, and a task
whose worker fell silent is given to another. So a task may run twice: what it does must stand that (at least once).
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from jobs.models import WorkerBeat

Task = DBTaskResult[..., Any]

BEAT_SECONDS = 2.0
SILENT_AFTER = timedelta(seconds=8)
# A task that took this many workers with it is not given to the next one.
MOST_WORKERS_LOST = 5
KEEP_FINISHED = timedelta(days=7)
KEEP_BEATS = timedelta(hours=1)

logger = logging.getLogger(__name__)


class WorkerLost(Exception):
    """Stands in the row of a task that was given up: its workers ended before it did."""


def beat(worker_id: str) -> None:
    WorkerBeat.objects.update_or_create(worker_id=worker_id, defaults={"at": timezone.now()})


def forget(worker_id: str) -> None:
    """The worker ends in good order: its unfinished tasks are free at once and don't count against them."""
    for task in _running_at(worker_id):
        _change(task, status=TaskResultStatus.READY, started_at=None, worker_ids=task.worker_ids[:-1])
    WorkerBeat.objects.filter(worker_id=worker_id).delete()


def take_over(worker_id: str) -> int:
    """Frees what a predecessor of the same name held when it was killed. Returns how many tasks."""
    return sum(_give_back(task) for task in _running_at(worker_id))


def sweep() -> int:
    """Frees the tasks of every worker that fell silent. Any worker may sweep: one wins each task. Returns how many."""
    heard_since = timezone.now() - SILENT_AFTER
    alive = set(WorkerBeat.objects.filter(at__gte=heard_since).values_list("worker_id", flat=True))
    return sum(_give_back(task) for task in _running(started_at__lt=heard_since) if task.worker_ids[-1] not in alive)


def somebody_waits() -> bool:
    """True while a task waits for a worker: one that works on something long does well to give way."""
    return bool(DBTaskResult.objects.ready().exists())


def prune() -> None:
    """Drops finished tasks and long silent workers. What tasks did stands in the rooms' own rows."""
    now = timezone.now()
    DBTaskResult.objects.finished().filter(finished_at__lt=now - KEEP_FINISHED).delete()
    WorkerBeat.objects.filter(at__lt=now - KEEP_BEATS).delete()


def _running(**which: Any) -> list[Task]:
    return list(DBTaskResult.objects.running().filter(**which).only("worker_ids", "started_at", "status", "task_path"))


def _running_at(worker_id: str) -> list[Task]:
    return [task for task in _running() if task.worker_ids[-1] == worker_id]


def _give_back(task: Task) -> bool:
    if len(task.worker_ids) < MOST_WORKERS_LOST:
        return _change(task, status=TaskResultStatus.READY, started_at=None)
    logger.error("Task %s (%s) was given up after %d lost workers.", task.pk, task.task_path, len(task.worker_ids))
    return _change(
        task,
        status=TaskResultStatus.FAILED,
        finished_at=timezone.now(),
        exception_class_path=f"{WorkerLost.__module__}.{WorkerLost.__qualname__}",
        traceback=f"{len(task.worker_ids)} workers ended while they ran this task.",
    )


def _change(task: Task, **values: object) -> bool:
    """Compare and set: true only if the row is still as it was read."""
    same = DBTaskResult.objects.filter(pk=task.pk, status=TaskResultStatus.RUNNING, started_at=task.started_at)
    return same.update(**values) == 1
