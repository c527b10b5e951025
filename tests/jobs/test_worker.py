"""Real worker processes, killed and stopped: the task is run to its end, or handed over at once."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from jobs.lease import SILENT_AFTER
from jobs.worker import GRACE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


class Place:
    """A folder with a queue, the workers on it, and the file that tasks write to."""

    def __init__(self, folder: Path) -> None:
        self.database, self.file = folder / "queue.sqlite3", folder / "seen.txt"
        self.workers: list[subprocess.Popen[bytes]] = []

    def environment(self, name: str = "") -> dict[str, str]:
        settings = {"DJANGO_SETTINGS_MODULE": "tests.jobs.worker_settings", "WORKER_DATABASE": str(self.database)}
        return os.environ | settings | {"PROCESS_NAME": name, "PYTHONPATH": str(ROOT)}

    def django(self, code: str) -> None:
        start = "import django, django.core.management; django.setup(); from tests.jobs import work; "
        subprocess.run([sys.executable, "-c", start + code], env=self.environment(), cwd=ROOT, check=True)

    def enqueue(self, seconds: float) -> None:
        self.django(f"work.note_and_wait.enqueue({str(self.file)!r}, {seconds})")

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "run_worker"]
        self.workers.append(subprocess.Popen(command, env=self.environment(name), cwd=ROOT, stderr=subprocess.DEVNULL))
        return self.workers[-1]

    def seen(self) -> list[str]:
        return self.file.read_text().split() if self.file.exists() else []

    def ask(self, column: str) -> str:
        with closing(sqlite3.connect(self.database)) as connection:
            answer = connection.execute(f"SELECT {column} FROM django_tasks_database_dbtaskresult")  # noqa: S608
            return str(answer.fetchone()[0])


@pytest.fixture(scope="module")
def empty_queue(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("queue"))
    place.django("django.core.management.call_command('migrate', verbosity=0)")
    return place.database


@pytest.fixture
def place(tmp_path, empty_queue):
    place = Place(tmp_path)
    shutil.copyfile(empty_queue, place.database)
    yield place
    for worker in place.workers:
        worker.kill()
        worker.wait()


def wait_until(true: Callable[[], bool], seconds: float = 30) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "waited in vain"
        time.sleep(0.02)
    return time.monotonic() - began


def test_the_task_of_a_killed_worker_is_run_by_its_successor_at_once(place):
    place.enqueue(seconds=1)
    first = place.worker("one")
    wait_until(lambda: place.seen() == ["began"])
    first.kill()
    first.wait()
    place.worker("one")
    waited = wait_until(lambda: place.ask("status") == "SUCCESSFUL")
    assert place.seen() == ["began", "began", "ended"]
    assert waited < SILENT_AFTER.total_seconds(), "after a silence no successor of the same name is needed"


def test_a_worker_told_to_stop_finishes_a_short_task(place):
    place.enqueue(seconds=1)
    worker = place.worker("one")
    wait_until(lambda: place.seen() == ["began"])
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    assert place.seen() == ["began", "ended"]
    assert place.ask("status") == "SUCCESSFUL"


def test_a_worker_told_to_stop_hands_a_long_task_over_within_four_seconds(place):
    place.enqueue(seconds=60)
    worker = place.worker("one")
    wait_until(lambda: place.seen() == ["began"])
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=30)
    assert GRACE_SECONDS < 4
    assert place.ask("status") == "READY"
    assert place.ask("worker_ids") == "[]"


def test_an_idle_worker_ends_at_once(place):
    worker = place.worker("one")
    beats = "(SELECT count(*) FROM jobs_workerbeat) FROM (SELECT 1) --"
    wait_until(lambda: place.ask(beats) == "1")
    worker.send_signal(signal.SIGTERM)
    assert wait_until(lambda: worker.poll() is not None) < GRACE_SECONDS
    assert place.ask(beats) == "0"


def test_two_workers_run_two_tasks_side_by_side(place):
    place.enqueue(seconds=60)
    place.enqueue(seconds=60)
    place.worker("one")
    place.worker("two")
    wait_until(lambda: place.seen()[:2] == ["began", "began"])
    assert place.seen() == ["began", "began"]
