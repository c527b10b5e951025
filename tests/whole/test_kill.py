"""Web and workers die by kill -9 in the middle of pushes: the runs end all the same, and nothing is paid twice unasked."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import Sandbox, wait_until
from tests.whole.program import RECORDS, Program

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc").is_dir(), reason="Looks at processes in /proc.")]
KILLS, SLOW = 20, 0.4
ENDED = ("done", "failures", "undecided", "cancelled")
# The calls of a run that wanted a response, each with its attempts.
SENT = """
    SELECT call.id, item.id, item.state, call.state, (SELECT count(*) FROM logs_attempt WHERE call_id = call.id)
    FROM logs_call call JOIN flows_item item ON call.cause = 'run item' AND call.cause_id = CAST(item.id AS TEXT)
    WHERE call.operation = 'create_response' AND item.run_id = ?"""
HELD = {
    "calls under way": "SELECT id FROM logs_call WHERE state IN ('queued', 'sending', 'retrying')",
    "attempts under way": "SELECT id FROM logs_attempt WHERE state = 'sending'",
    "places at the gate": "SELECT id FROM openai_api_permit WHERE state <> 'ended'",
    "running tasks": "SELECT id FROM django_tasks_database_dbtaskresult WHERE status = 'RUNNING'",
    "open records": "SELECT id FROM flows_item WHERE state IN ('pending', 'working', 'waiting')",
    "held runs": "SELECT id FROM flows_run WHERE lease_token <> ''",
}


@pytest.fixture
def program(whole_program: Program, running_sandbox: Sandbox) -> Program:
    running_sandbox.clear()
    return whole_program


@pytest.fixture
def dice() -> random.Random:
    """Chance with a seed, which a failure shows."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"The seed of this test is {seed}.")  # noqa: T201 - pytest shows it where the test fails
    return random.Random(seed)


def kill_at_random(program: Program, dice: random.Random) -> None:
    """Twenty kills, each while calls are open: the far side is slow until the last one, then quick."""
    program.sandbox.settings(latency_seconds=SLOW)
    for _ in range(KILLS):
        wait_until(lambda: program.sandbox.busy(), 90)
        time.sleep(dice.uniform(0, SLOW))
        victims = wait_until(lambda: program.children("config.serve", "run_worker"))
        os.kill(dice.choice(victims), signal.SIGKILL)
    program.sandbox.settings(latency_seconds=0)


def ended(program: Program, run: int, seconds: float = 120) -> str:
    return str(wait_until(lambda: (state := program.run_state(run)) in ENDED and state, seconds))


def posts(program: Program) -> Counter[str]:
    """How often the far side was asked for a response by each call; ids as in the database."""
    asked = [row for row in program.sandbox.journal() if (row["method"], row["path"]) == ("POST", "/v1/responses")]
    return Counter(row["client_request_id"].replace("-", "") for row in asked)


def answers_written(program: Program, run: int) -> Counter[int]:
    """Item → how many answers were written into its record."""
    query = """SELECT CAST(cause_id AS INTEGER) FROM flows_recordchange WHERE cause = 'answer'
               AND cause_id IN (SELECT CAST(id AS TEXT) FROM flows_item WHERE run_id = ?)"""
    return Counter(item for (item,) in program.rows(query, run))


def items(program: Program, run: int) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for item, state in program.rows("SELECT id, state FROM flows_item WHERE run_id = ?", run):
        found.setdefault(state, set()).add(item)
    return found


def posts_by_item(program: Program, run: int) -> Counter[int]:
    seen, found = posts(program), Counter[int]()
    for call, item, *_ in program.rows(SENT, run):
        found[item] += seen[call]
    return found


def held(program: Program) -> dict[str, list[tuple[object, ...]]]:
    return {name: rows for name, query in HELD.items() if (rows := program.rows(query))}


def assert_nothing_is_held_in_the_end(program: Program) -> None:
    with contextlib.suppress(AssertionError):
        wait_until(lambda: not held(program), 60)
    assert held(program) == {}


def assert_every_call_has_its_rows(program: Program, *runs: int) -> None:
    attempts = {call: count for run in runs for call, *_, count in program.rows(SENT, run)}
    seen = posts(program)
    assert set(seen) <= set(attempts), "The far side was asked by a call that the log does not have."
    assert all(count <= attempts[call] for call, count in seen.items())


def test_twenty_kills_in_two_pushes_of_200_lose_nothing_and_pay_nothing_twice(program: Program, dice: random.Random):
    careful = program.push(mode="sync")
    repeating = program.push(mode="sync", repeat_unknown="on")
    kill_at_random(program, dice)
    ended(program, careful), ended(program, repeating)
    assert_nothing_is_held_in_the_end(program)
    assert_every_call_has_its_rows(program, careful, repeating)

    # Unasked, no record was sent twice; whatever was in the air at a kill says so, and all others are done.
    found = items(program, careful)
    assert set(found) == {"done", "unknown"}
    assert len(found["done"]) + len(found["unknown"]) == RECORDS
    assert answers_written(program, careful) == Counter(found["done"])
    assert max(posts_by_item(program, careful).values()) == 1

    # Where repeating was allowed it was done, yet not for ever.
    again = items(program, repeating)
    assert answers_written(program, repeating) == Counter(again["done"])
    assert all(posts_by_item(program, repeating)[item] <= 3 for item in again["done"])

    for run, left in ((careful, found["unknown"]), (repeating, again.get("unknown", set()))):
        decided_on_the_page(program, run, left)
    assert_every_call_has_its_rows(program, careful, repeating)


def test_the_supervisor_is_killed_and_the_next_start_goes_on(program: Program):
    # So slow that the workers, which end within four seconds of their supervisor, are cut off in the middle.
    program.sandbox.settings(latency_seconds=5 * SLOW)
    keys = [f"K-{number:03}" for number in range(40)]
    run = program.push(mode="sync", which="keys", keys="\n".join(keys))
    wait_until(lambda: len(items(program, run).get("done", set())) >= 10, 90)
    program.kill()
    program.start()
    ended(program, run)
    assert_nothing_is_held_in_the_end(program)
    assert_every_call_has_its_rows(program, run)
    assert max(posts_by_item(program, run).values()) == 1
    assert {"done", "unknown"} == set(items(program, run))
    decided_on_the_page(program, run, items(program, run)["unknown"])
    assert len(items(program, run)["done"]) == len(keys)


def decided_on_the_page(program: Program, run: int, unknown: set[int]) -> None:
    """A person sees what is unknown, sends it again, and every record of the run is done."""
    page = program.page.get(f"/runs/{run}/").text
    assert (f"<strong>{len(unknown)} record" in page) is bool(unknown)
    program.post(f"/runs/{run}/decide/", decision="again")
    assert ended(program, run) == "done"
    assert set(items(program, run)) == {"done"}
    assert answers_written(program, run) == Counter(items(program, run)["done"])
