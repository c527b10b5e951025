"""The limits as the far side sees them: four processes, one window, one set of slots, and one of them killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import CancelledError

import pytest
from django.db import connection

from logs.models import Call
from openai_api import sweep
from openai_api.errors import Rejected
from openai_api.gate import Gate, Ticket, batch, gate
from openai_api.gate.thread import MOST_A_TURN
from openai_api.models import Permit
from openai_api.throttle import Throttle
from tests.conftest import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def hold(gate: Gate, throttle: Throttle, seen: list[tuple[float, float]], seconds: float) -> None:
    """One call as the far side sees it: it arrives a little after it was let in, and stays for a while."""
    ticket = gate.arrive(Ticket(throttle, None)).result(60)
    arrived = time.monotonic()
    time.sleep(seconds)
    seen.append((arrived, time.monotonic()))
    gate.finish(ticket).result(60)


def crowd(throttle: Throttle, calls: int, threads: int, queue: multiprocessing.Queue) -> None:
    """A process of its own, with its own gate and database connections."""
    connection.connect()
    mine, seen, left = Gate(f"crowd-{os.getpid()}"), [], list(range(calls))

    def work() -> None:
        while left:
            left.pop()
            hold(mine, throttle, seen, 0.02)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    mine.stop()
    queue.put(seen)


def worst_window(arrivals: list[float], seconds: float) -> int:
    arrivals = sorted(arrivals)
    return max(sum(1 for other in arrivals if start <= other < start + seconds) for start in arrivals)


def worst_overlap(seen: list[tuple[float, float]]) -> int:
    edges = sorted([(start, 1) for start, _ in seen] + [(end, -1) for _, end in seen])
    level = most = 0
    for _, step in edges:
        level += step
        most = max(most, level)
    return most


def test_four_processes_keep_one_window_and_one_set_of_slots():
    throttle = Throttle(key="crowd", limit=12, seconds=1.0, connections=3, deadline=60)
    context = multiprocessing.get_context("fork")
    connection.close()
    queue = context.Queue()
    processes = [context.Process(target=crowd, args=(throttle, 9, 3, queue)) for _ in range(4)]
    for process in processes:
        process.start()
    seen = [row for _ in processes for row in queue.get(timeout=60)]
    for process in processes:
        process.join(30)
    assert len(seen) == 36
    assert worst_window([start for start, _ in seen], 1.0) <= 12
    assert worst_overlap(seen) <= 3
    assert not Permit.objects.exists()


def test_first_in_first_out():
    throttle = Throttle(key="line", limit=100, seconds=1, connections=1)
    first = gate.arrive(Ticket(throttle, None)).result(5)
    futures = []
    for _ in range(5):
        future = gate.arrive(ticket := Ticket(throttle, None))
        wait_until(lambda ticket=ticket: Permit.objects.filter(pk=ticket.id).exists())
        futures.append(future)
    gate.finish(first).result(5)
    admitted = []
    for future in futures:
        ticket = future.result(5)
        admitted.append(ticket.admitted_at)
        gate.finish(ticket).result(5)
    assert admitted == sorted(admitted)


def test_a_crowd_is_let_in_turn_by_turn(monkeypatch):
    """The first of a crowd are on their way while the next are written."""
    crowd, turns, all_there = Gate("crowd"), [], threading.Event()
    take_turn = crowd.take_turn

    def counted(commands):
        all_there.wait(30)
        turns.append(len(commands))
        take_turn(commands)

    monkeypatch.setattr(crowd, "take_turn", counted)
    throttle = Throttle(key="crowd", limit=1000, connections=1000)
    replies = [crowd.arrive(Ticket(throttle, None)) for _ in range(150)]
    all_there.set()
    tickets = [reply.result(10) for reply in replies]
    assert max(turns) == MOST_A_TURN < 150
    assert [ticket.rank for ticket in tickets] == sorted(ticket.rank for ticket in tickets)
    for ticket in tickets:
        crowd.finish(ticket).result(10)
    crowd.stop()


def test_a_killed_process_gives_its_slot_back():
    throttle = Throttle(key="killed", limit=100, seconds=0.2, connections=1, deadline=30)
    context = multiprocessing.get_context("fork")
    connection.close()
    ready = context.Event()

    def take_and_hang() -> None:
        Gate("doomed").arrive(Ticket(throttle, None)).result(10)
        ready.set()
        time.sleep(60)

    process = context.Process(target=take_and_hang)
    process.start()
    assert ready.wait(30)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    waiting = gate.arrive(Ticket(throttle, None))
    assert not waiting.done()
    assert sweep.release_process("doomed") == 1
    gate.finish(waiting.result(5)).result(5)


def test_a_lease_that_ran_out_is_swept():
    throttle = Throttle(key="silent", limit=100, seconds=0.2, connections=1)
    gate.arrive(Ticket(throttle, None)).result(5)
    gate.stop()
    Permit.objects.update(lease_until=time.time() - 1)
    assert sweep.sweep() == 1 and sweep.sweep() == 0


def test_the_deadline_names_the_limit_and_the_time_to_come_back():
    throttle = Throttle(key="late", limit=1, seconds=30, connections=5, deadline=0.2)
    gate.finish(gate.arrive(Ticket(throttle, None)).result(5)).result(5)
    with pytest.raises(Rejected) as caught:
        gate.arrive(Ticket(throttle, None)).result(5)
    assert "the one request in 30 s" in caught.value.limit and 25 < (caught.value.retry_after or 0) <= 30.2


def test_a_cancelled_waiter_leaves_the_line():
    throttle = Throttle(key="left", limit=100, seconds=1, connections=1)
    first = gate.arrive(Ticket(throttle, None)).result(5)
    impatient = gate.arrive(Ticket(throttle, None))
    patient = gate.arrive(Ticket(throttle, None))
    impatient.cancel()
    gate.finish(first).result(5)
    gate.finish(patient.result(5)).result(5)
    with pytest.raises(CancelledError):
        impatient.result(0)
    wait_until(lambda: not Permit.objects.exists())


def test_batch_executions_are_counted_apart():
    throttle = Throttle(key="batches", limit=1, seconds=30, connections=1, batches=1, deadline=0.1)
    with batch(throttle):
        gate.finish(gate.arrive(Ticket(throttle, None)).result(5)).result(5)
        with pytest.raises(Rejected, match="concurrent batch executions"), batch(throttle):
            pass
    with batch(throttle):
        pass
    assert not Call.objects.exists()


def test_what_arrives_together_is_written_in_one_transaction(monkeypatch):
    throttle = Throttle(key="together", limit=100, seconds=1, connections=50)
    turns: list[int] = []
    first, go = threading.Event(), threading.Event()
    collect = Gate._collect

    def collect_slowly(gate: Gate) -> list:
        found = collect(gate)
        if found:
            turns.append(len(found))
            first.set()
            go.wait(30)
        return found

    monkeypatch.setattr(Gate, "_collect", collect_slowly)
    futures = [gate.arrive(Ticket(throttle, None))]
    first.wait(30)
    futures += [gate.arrive(Ticket(throttle, None)) for _ in range(20)]
    go.set()
    tickets = [future.result(5) for future in futures]
    assert turns == [1, 20]
    for ticket in tickets:
        gate.finish(ticket).result(5)
