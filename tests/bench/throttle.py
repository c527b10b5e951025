"""How much of a limit four processes use when more is wanted than allowed, and the most that any window ever saw.

Strict, a place counts until T after its call ended: N per T plus the call's length is allowed. From the moment it was sent,
N per T plus the margin. See README.md here.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from typing import Any

from tests.bench.standing import standing

LIMIT, SECONDS, LENGTH, WINDOWS = 20, 1.0, 0.05, 10
PROCESSES, THREADS = 4, 8


def work(key: str, from_sent: bool, ready: Any, seconds: float, out: Any) -> None:
    """A process that wants more than it gets. It notes when the far side saw each request."""
    import django

    django.setup()
    from openai_api.gate import Gate, Ticket
    from openai_api.throttle import Throttle

    throttle = Throttle(key, limit=LIMIT, seconds=SECONDS, connections=1000, deadline=60.0, from_sent=from_sent)
    gate, seen = Gate(f"{key} {os.getpid()}"), list[float]()
    ready.wait()
    until = time.time() + seconds

    def ask() -> None:
        while time.time() < until:
            ticket = gate.arrive(Ticket(throttle, None)).result(60)
            seen.append(time.time())
            gate.sent(ticket)
            time.sleep(LENGTH)
            gate.finish(ticket).result(60)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gate.stop()
    out.put(seen)


def worst(arrivals: list[float]) -> int:
    """The most that any window of this length saw."""
    most = first = 0
    for last, moment in enumerate(arrivals):
        while arrivals[first] <= moment - SECONDS:
            first += 1
        most = max(most, last - first + 1)
    return most


def measure(from_sent: bool) -> None:
    from openai_api.gate.rules import MARGIN

    context = multiprocessing.get_context("spawn")
    out: Any = context.Queue()
    period = SECONDS + (MARGIN if from_sent else LENGTH)
    ready = context.Barrier(PROCESSES + 1)
    work_for = (WINDOWS + 2) * period
    key = f"bench {time.time()}"
    processes = [context.Process(target=work, args=(key, from_sent, ready, work_for, out)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    ready.wait()
    # The first window begins while they still find their feet.
    began = time.time() + period
    until = began + WINDOWS * period
    arrivals = sorted(moment for _ in processes for moment in out.get())
    for process in processes:
        process.join()
    counted = [moment for moment in arrivals if began <= moment < until]
    allowed = LIMIT * WINDOWS
    mode, share = "sent" if from_sent else "strict", len(counted) / allowed
    print(
        f"{mode:6} {len(counted)} of {allowed} allowed ({share:.1%}); any window saw at most {worst(arrivals)} of {LIMIT}"
    )


if __name__ == "__main__":
    with standing():
        from django.db import connection

        print(f"{connection.vendor}, {PROCESSES} processes, {LIMIT} in {SECONDS:g} s")
        connection.close()
        for from_sent in (False, True):
            measure(from_sent)
    sys.exit(0)
