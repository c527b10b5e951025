"""A killed worker's task is run by another; a worker that ends in good order hands its task over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult, get_date_max

from jobs import lease
from jobs.models import WorkerBeat

pytestmark = pytest.mark.django_db


def running_task(*worker_ids: str, seconds_ago: float = 60) -> DBTaskResult:
    return DBTaskResult.objects.create(
        status=TaskResultStatus.RUNNING,
        started_at=timezone.now() - timedelta(seconds=seconds_ago),
        args_kwargs={"args": [], "kwargs": {}},
        task_path="tests.jobs.work.note",
        worker_ids=list(worker_ids),
        backend_name="default",
        run_after=get_date_max(),
    )


def state_of(task: DBTaskResult) -> str:
    task.refresh_from_db()
    return task.status


def last_heard(worker_id: str, seconds_ago: float) -> None:
    WorkerBeat.objects.create(worker_id=worker_id, at=timezone.now() - timedelta(seconds=seconds_ago))


def test_the_task_of_a_silent_worker_is_freed():
    last_heard("quiet", seconds_ago=9)
    task = running_task("quiet")
    assert lease.sweep() == 1
    assert state_of(task) == "READY"
    assert task.started_at is None


def test_the_task_of_a_worker_that_is_heard_of_stays_its_own():
    last_heard("loud", seconds_ago=1)
    task = running_task("quiet", "loud")
    assert lease.sweep() == 0
    assert state_of(task) == "RUNNING"


def test_a_task_just_taken_by_a_worker_that_has_not_beaten_yet_stays_its_own():
    task = running_task("new", seconds_ago=1)
    assert lease.sweep() == 0
    assert state_of(task) == "RUNNING"


def test_a_task_that_took_five_workers_with_it_is_given_up():
    task = running_task("a", "b", "c", "d", "e")
    assert lease.sweep() == 1
    assert state_of(task) == "FAILED"
    assert task.exception_class_path == "jobs.lease.WorkerLost"
    assert "5 workers" in task.traceback


def test_only_one_of_two_sweepers_frees_a_task():
    task = running_task("quiet")
    stale = DBTaskResult.objects.get(pk=task.pk)
    assert lease.sweep() == 1
    DBTaskResult.objects.filter(pk=task.pk).update(status="RUNNING", started_at=timezone.now(), worker_ids=["next"])
    assert not lease._give_back(stale)
    assert state_of(task) == "RUNNING"


def test_a_restarted_worker_frees_at_once_what_its_predecessor_held():
    mine, another = running_task("other", "me", seconds_ago=0), running_task("me", "other", seconds_ago=0)
    assert lease.take_over("me") == 1
    assert (state_of(mine), state_of(another)) == ("READY", "RUNNING")
    assert mine.worker_ids == ["other", "me"]


def test_ending_in_good_order_does_not_count_against_the_task():
    lease.beat("me")
    task = running_task("a", "b", "c", "d", "me")
    lease.forget("me")
    assert state_of(task) == "READY"
    assert task.worker_ids == ["a", "b", "c", "d"]
    assert not WorkerBeat.objects.exists()


def test_beating_again_renews_the_one_row():
    lease.beat("me")
    WorkerBeat.objects.update(at=timezone.now() - timedelta(hours=1))
    lease.beat("me")
    assert WorkerBeat.objects.get().at > timezone.now() - timedelta(seconds=5)


def test_finished_tasks_are_kept_for_a_week():
    for days, status in ((8, "SUCCESSFUL"), (8, "FAILED"), (6, "SUCCESSFUL")):
        task = running_task("me")
        finished = timezone.now() - timedelta(days=days)
        DBTaskResult.objects.filter(pk=task.pk).update(status=status, finished_at=finished)
    waiting = running_task("me")
    last_heard("long gone", seconds_ago=7200)
    lease.prune()
    assert DBTaskResult.objects.count() == 2
    assert state_of(waiting) == "RUNNING"
    assert not WorkerBeat.objects.exists()
