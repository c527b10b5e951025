"""Processes die by kill -9 while programs call OpenAI through the proxy: no call is missing from the log, none stays open."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from openai_api.gate.state import LEASE
from tests.conftest import Sandbox, wait_until
from tests.whole.program import Program

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc").is_dir(), reason="Looks at processes in /proc.")]
# By hand: KILLS=100 for the hundred of the promise.
KILLS = int(os.environ.get("KILLS", "4"))
CALLERS, SLOW, PAUSE = 12, 0.3, 1.5
TOKEN = "pbt_kill_0123456789abcdef"
MAKE_TOKEN = f"""
from connections.models import Installation
from proxy.models import Token, digest
Token.objects.create(name="Load", digest=digest("{TOKEN}"), last4="cdef").installations.add(Installation.objects.get(name="Whole"))
"""
# Sweeps come every five seconds, and the clocks of two processes read a little apart.
LATE = LEASE + 8


@pytest.fixture
def program(whole_program: Program, running_sandbox: Sandbox) -> Program:
    running_sandbox.clear()
    whole_program.manage("shell", "-v", "0", "-c", MAKE_TOKEN)
    return whole_program


def call(program: Program, over: threading.Event, seen: Counter[str], stream: bool) -> None:
    """One program that calls until it is `over`, whatever becomes of its calls."""
    address = f"{program.address}/proxy/Whole/v1/responses"
    body = {"model": "gpt-6-luna", "input": "Hello", "stream": stream}
    with httpx.Client(trust_env=False, timeout=15, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        while not over.is_set():
            try:
                seen[str(client.post(address, json=body).status_code)] += 1
            except httpx.HTTPError:
                seen["broken"] += 1
                over.wait(0.05)


@contextmanager
def load(program: Program) -> Iterator[Counter[str]]:
    over, seen = threading.Event(), Counter[str]()
    callers = [threading.Thread(target=call, args=(program, over, seen, bool(n % 3 == 0))) for n in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        yield seen
    finally:
        over.set()
        for caller in callers:
            caller.join()


def overdue(program: Program) -> list[tuple[object, ...]]:
    """Slots that are taken although their lease ended so long ago that the sweep must have come by."""
    query = "SELECT id, holder FROM openai_api_permit WHERE state = 'held' AND lease_until < ?"
    return program.rows(query, time.time() - (LATE - LEASE))


def still_open(program: Program) -> list[tuple[object, ...]]:
    calls = "SELECT id, state FROM logs_call WHERE state IN ('queued', 'sending', 'retrying')"
    attempts = "SELECT id, state FROM logs_attempt WHERE state = 'sending'"
    return program.rows(calls) + program.rows(attempts) + program.rows("SELECT id, state FROM openai_api_permit")


def test_kills_under_load_leave_no_call_without_its_row_and_no_row_open(program: Program) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"The seed of this test is {seed}.")  # noqa: T201 - pytest shows it where the test fails
    dice = random.Random(seed)
    program.sandbox.settings(latency_seconds=SLOW)
    late = []
    with load(program) as seen:
        for number in range(KILLS):
            wait_until(lambda: program.sandbox.busy(), 90)
            time.sleep(dice.uniform(0, PAUSE))
            # Three of four are the web process, which the calls go through; the worker is the one that sweeps.
            role = "run_worker" if number % 4 == 3 else "config.serve"
            os.kill(dice.choice(wait_until(lambda role=role: program.children(role), 90)), signal.SIGKILL)
            late += overdue(program)
        wait_until(lambda: program.sandbox.busy(), 90)
    program.sandbox.settings(latency_seconds=0)
    wait_until(lambda: not still_open(program), LATE)
    assert late == []

    asked = {row["client_request_id"].replace("-", "") for row in program.sandbox.journal() if row["method"] == "POST"}
    kept = dict(program.rows("SELECT replace(id, '-', ''), state FROM logs_call WHERE cause = 'proxy'"))
    print(f"{KILLS} kills; callers saw {dict(seen)}; far side {len(asked)}; log {dict(Counter(kept.values()))}.")  # noqa: T201
    assert len(asked) > KILLS and seen["200"], "There was no load."
    assert asked <= set(kept), "The far side was asked by a call that the log does not have."
    assert "unknown" in kept.values(), "No kill met a call under way."
