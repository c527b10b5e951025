"""The limits that an installation sets, as the gate takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace

NANO = 1_000_000_000


@dataclass(frozen=True)
class Budget:
    """What may be spent in a `day` or `month` (UTC): dollars in billionths, tokens; None is no limit.

    From `warn` percent of it on, people are warned.
    """

    period: str
    cost: int | None = None
    tokens: int | None = None
    warn: int = 80


@dataclass(frozen=True)
class Throttle:
    """At most `limit` requests in any `seconds`, `connections` open at once and `batches` runs at once, all under one `key`.

    Who is over the limit waits in line up to `deadline` seconds, or, with `wait` false, is rejected at once. A place in the
    window counts until `seconds` after its attempt ended or, with `from_sent`, after its request was sent, and a margin.
    `tokens` is the limit of tokens in any minute, 0 for none.
    """

    key: str
    limit: int = 500
    seconds: float = 60.0
    connections: int = 5
    batches: int = 5
    wait: bool = True
    deadline: float = 120.0
    from_sent: bool = False
    tokens: int = 0
    budgets: tuple[Budget, ...] = ()

    def with_deadline(self, seconds: float) -> Throttle:
        return replace(self, deadline=seconds)
