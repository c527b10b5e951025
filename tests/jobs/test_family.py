"""A child of the supervisor: its log, its last words, when it starts again, how it ends."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time

import pytest

from jobs import family
from jobs.family import Child, pause_after


@pytest.fixture
def pipe():
    ours, theirs = os.pipe()
    yield ours
    os.close(ours)
    os.close(theirs)


@pytest.fixture
def make(tmp_path, pipe):
    made = []

    def make(code: str) -> Child:
        made.append(Child("helper", [sys.executable, "-c", code], "host-1-helper", tmp_path, pipe))
        return made[-1]

    yield make
    for one in made:
        one.make_end(time.monotonic())
        if one.reader:
            one.reader.join(timeout=30)
        for handler in one.log.handlers:
            handler.close()


def wait_for_end(one: Child) -> None:
    deadline = time.monotonic() + 30
    while not one.ended():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_a_child_says_goes_to_its_own_log_file_for_the_owner_only(make, tmp_path, monkeypatch):
    before = os.umask(0o077)
    one = make("print('good morning')")
    os.umask(before)
    one.start()
    wait_for_end(one)
    assert (tmp_path / "helper.log").read_text() == "good morning\n"
    assert stat.S_IMODE((tmp_path / "helper.log").stat().st_mode) == 0o600


def test_the_last_words_name_the_child_its_status_and_its_last_lines(make):
    one = make("print('no such table'); raise SystemExit(3)")
    one.start()
    wait_for_end(one)
    assert one.last_words() == "helper ended with status 3. It said last:\n    no such table"


def test_a_child_killed_from_outside_is_named_with_the_signal(make):
    one = make("import time; time.sleep(60)")
    one.start()
    assert one.process
    os.kill(one.process.pid, signal.SIGKILL)
    wait_for_end(one)
    assert one.last_words() == "helper was ended by SIGKILL."


def test_a_child_is_due_again_at_once_unless_it_keeps_dying(make):
    one = make("pass")
    for short_lives in range(1, family.FREE_RESTARTS + 1):
        one.start()
        assert not one.due()
        wait_for_end(one)
        assert (one.short_lives, one.due()) == (short_lives, True)
    one.start()
    wait_for_end(one)
    assert not one.due()


def test_the_pause_grows_to_half_a_minute():
    assert [pause_after(lives) for lives in (0, 3, 4, 5, 6, 20)] == [0, 0, 1, 2, 4, 30]


def test_a_child_gets_the_same_name_each_time(make, tmp_path):
    one = make("import os; print(os.environ['PROCESS_NAME'])")
    for _ in range(2):
        one.start()
        wait_for_end(one)
    assert (tmp_path / "helper.log").read_text() == "host-1-helper\n" * 2


def test_a_child_that_will_not_end_is_killed_with_all_that_it_started(make):
    code = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True)
time.sleep(60)
"""
    one = make(code)
    one.start()
    while not one.lines:
        time.sleep(0.01)
    grandchild = int(one.lines[0])
    one.ask_to_end()
    one.make_end(time.monotonic() + 0.1)
    deadline = time.monotonic() + 30
    while alive(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
