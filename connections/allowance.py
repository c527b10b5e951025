"""What a throttle allows, in figures that a person can picture."""

from __future__ import annotations

from dataclasses import dataclass

from openai_api.throttle import Throttle

RECORDS = 1_000
# Seconds of one answer, for the estimate: a short text of a small model.
ANSWER = 1.0


@dataclass(frozen=True)
class Allowance:
    """`per_minute` is the most requests in a long run's minute; `records_ms` how long RECORDS take, and `held_by` what
    makes it so: the window or the connections.
    """

    limit: int
    seconds: int
    connections: int
    batches: int
    per_minute: int
    records: int
    records_ms: float
    held_by: str
    wait: bool
    deadline: int


def allowance_of(throttle: Throttle) -> Allowance:
    by_connections = RECORDS * ANSWER / throttle.connections
    # The first window's worth goes out at once; every further one has to wait for a window to pass.
    by_window = (RECORDS - 1) // throttle.limit * throttle.seconds
    return Allowance(
        limit=throttle.limit,
        seconds=int(throttle.seconds),
        connections=throttle.connections,
        batches=throttle.batches,
        per_minute=round(throttle.limit * 60 / throttle.seconds),
        records=RECORDS,
        records_ms=max(by_connections, by_window) * 1000,
        held_by="the window" if by_window > by_connections else "concurrent connections",
        wait=throttle.wait,
        deadline=int(throttle.deadline),
    )
