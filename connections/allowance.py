"""What a throttle allows, in figures that a person can picture."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from openai_api.retries import RetryPolicy
from openai_api.throttle import NANO, Budget, Throttle
from ui.formats import money

RECORDS = 1_000
# Seconds of one answer, for the estimate: a short text of a small model.
ANSWER = 1.0


@dataclass(frozen=True)
class Allowance:
    """`per_minute` is the most requests in a long run's minute; `records_ms` how long RECORDS take, and `held_by` what
    makes it so: the window or the connections. `tokens` is the limit of a minute, 0 for none.
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
    from_sent: bool
    tokens: int
    budgets: list[str]


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
        from_sent=throttle.from_sent,
        tokens=throttle.tokens,
        budgets=[in_words(budget) for budget in throttle.budgets],
    )


def in_words(budget: Budget) -> str:
    """`$25.00 and 1,000,000 tokens a day`."""
    dollars = money(Decimal(budget.cost) / NANO) if budget.cost is not None else ""
    tokens = f"{budget.tokens:,} tokens" if budget.tokens is not None else ""
    return f"{' and '.join(filter(None, (dollars, tokens)))} a {budget.period}"


def retries_in_words(policy: RetryPolicy) -> str:
    """`2 after the first, 0.5 s apart and twice as long each time, at most 60 s; on all errors`."""
    if policy.count == 0:
        return "none"
    longer = f" and twice as long each time, at most {policy.cap:g} s" if policy.backoff else ""
    errors = "; on all errors" if policy.on_all_errors else ""
    return f"{policy.count} after the first, {policy.delay or 0:g} s apart{longer}{errors}"
