"""What the gate counts at this moment, for people to see: read only, in three queries however many are asked for.

What stands here may be a moment older than what the gate decides by; nothing is decided by it.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Min, Q, Sum

from openai_api.gate.rules import FAILURES, period_end
from openai_api.gate.state import PERIODS, clock
from openai_api.models import Hold, Permit, Tally
from openai_api.throttle import NANO, Budget, Throttle


@dataclass(frozen=True)
class Places:
    """Requests that count in the window. `free_in` seconds the next place is free: 0 is now, None is not before an open
    call has ended.
    """

    used: int
    limit: int
    seconds: float
    free_in: float | None


@dataclass(frozen=True)
class Slots:
    """What is open at once. `waiting` is how many want a slot and have none."""

    used: int
    limit: int
    waiting: int = 0

    @property
    def full(self) -> bool:
        return self.used >= self.limit


@dataclass(frozen=True)
class Line:
    """Who waits: `waiting` calls, the first of them for `longest` seconds, each for `least_tokens` or more; `resting` were told
    to wait before a retry.
    """

    waiting: int
    longest: float
    resting: int
    least_tokens: int = 0


@dataclass(frozen=True)
class Tokens:
    """Tokens of the last minute, and those reserved by calls on their way. Counted only where there is a `limit`."""

    used: int
    reserved: int
    limit: int


@dataclass(frozen=True)
class Purse:
    """One budget: `unit` dollars (in billionths) or tokens, of a `period` that ends `ends_in` seconds from now."""

    period: str
    unit: str
    spent: int
    reserved: int
    limit: int | None
    warn: int
    ends_in: float

    @property
    def share(self) -> float:
        """Percent of the limit that is spent or reserved; 0 without a limit."""
        return 100 * (self.spent + self.reserved) / self.limit if self.limit else 0.0

    @property
    def state(self) -> str:
        """`stopped` when nothing passes any more, `warn` from the warn share on, else `ok`."""
        if self.limit is None:
            return "ok"
        if self.spent >= self.limit:
            return "stopped"
        return "warn" if self.share >= self.warn else "ok"


@dataclass(frozen=True)
class Parked:
    """A quota of OpenAI's own that is used up or nearly so: `left` `kind` (requests, tokens) of `model` for `free_in` s."""

    model: str
    kind: str
    left: int
    free_in: float
    words: str


@dataclass(frozen=True)
class Stopped:
    """A connection that fails hard: how often in a row, why, since when (Unix seconds), and in how many s it is probed."""

    failures: int
    code: str
    words: str
    since: float
    probe_in: float
    call_id: uuid.UUID | None


@dataclass(frozen=True)
class Gauge:
    """Everything that the limits of one throttle, its connection included, stand at; `at` is Unix seconds."""

    at: float
    window: Places
    connections: Slots
    batches: Slots
    line: Line
    tokens: Tokens
    purses: tuple[Purse, ...]
    parked: tuple[Parked, ...]
    stopped: Stopped | None

    @property
    def saturated(self) -> bool:
        """Whether calls wait because a limit of the installation's own is used up."""
        full = self.connections.full or self.window.used >= self.window.limit
        return self.line.waiting > 0 and (full or self.lacks(self.line.least_tokens))

    def lacks(self, tokens: int) -> bool:
        """Whether the minute has no room for so many tokens."""
        return 0 < self.tokens.limit < self.tokens.used + self.tokens.reserved + tokens


Amounts = Mapping[str, tuple[int, float]]


def read(asked: Sequence[tuple[Throttle, str]]) -> list[Gauge]:
    """The gauges of throttles with the hold keys of their connections, in their order."""
    now = clock()
    keys = [throttle.key for throttle, _ in asked]
    permits = _permits([*keys, *(f"{key}/batches" for key in keys)], now)
    tallies = _tallies(keys, now)
    holds = _holds({connection for _, connection in asked}, now)
    return [_gauge(throttle, now, permits, tallies[throttle.key], holds[connection]) for throttle, connection in asked]


def _permits(keys: Sequence[str], now: float) -> dict[str, dict[str, Any]]:
    """As the gate counts them: see `openai_api.gate.state`."""
    held, alive = Q(state="held"), Q(lease_until__gt=now)
    waiting = Q(state="waiting") & alive
    rows: Iterable[Any] = (
        Permit.objects.filter(key__in=keys)
        .alias(counts_until=F("lease_until") + F("seconds"))
        .values("key")
        .annotate(
            held=Count("pk", filter=held & alive),
            places=Count("pk", filter=held & Q(counted=True, counts_until__gt=now)),
            own_tokens=Sum("tokens", filter=held, default=0),
            own_cost=Sum("cost", filter=held, default=0),
            waiting=Count("pk", filter=waiting & Q(not_before__lte=now)),
            first=Min("not_before", filter=waiting & Q(not_before__lte=now)),
            least=Min("tokens", filter=waiting & Q(not_before__lte=now)),
            resting=Count("pk", filter=waiting & Q(not_before__gt=now)),
        )
    )
    return {row["key"]: row for row in rows}


def _tallies(keys: Sequence[str], now: float) -> dict[str, dict[str, tuple[int, float]]]:
    """By key and kind: the amount, and seconds until the first of it counts no more."""
    found: dict[str, dict[str, tuple[int, float]]] = defaultdict(dict)
    rows = Tally.objects.filter(key__in=keys, until__gt=int(now * 1000)).values_list("key", "kind")
    for key, kind, amount, until in rows.annotate(Sum("amount"), Min("until")):
        found[key][kind] = (int(amount), until / 1000 - now)
    return found


def _holds(connections: set[str], now: float) -> dict[str, list[Hold]]:
    wanted = Q(pk=None)
    for connection in connections:
        wanted |= Q(key=connection) | Q(key__startswith=f"{connection}/")
    found: dict[str, list[Hold]] = defaultdict(list)
    stopped, parked = Q(kind="circuit", failures__gte=FAILURES), ~Q(kind="circuit") & Q(until__gt=now)
    for hold in Hold.objects.filter(wanted, stopped | parked).order_by("key", "kind"):
        found[hold.key.partition("/")[0]].append(hold)
    return found


def _gauge(
    throttle: Throttle, now: float, permits: Mapping[str, Mapping[str, Any]], tallies: Amounts, holds: Sequence[Hold]
) -> Gauge:
    calls, runs = permits.get(throttle.key, {}), permits.get(f"{throttle.key}/batches", {})
    first = calls.get("first")
    tokens = tallies.get("tokens", (0, 0.0))[0]
    return Gauge(
        at=now,
        window=_window(throttle, calls.get("places", 0), tallies.get("requests", (0, 0.0))),
        connections=Slots(calls.get("held", 0), throttle.connections, calls.get("waiting", 0)),
        batches=Slots(runs.get("held", 0), throttle.batches, runs.get("waiting", 0)),
        line=Line(
            calls.get("waiting", 0), now - first if first else 0.0, calls.get("resting", 0), calls.get("least") or 0
        ),
        tokens=Tokens(tokens, calls.get("own_tokens", 0), throttle.tokens),
        purses=tuple(_purses(throttle, now, calls, tallies)),
        parked=tuple(_parked(hold, now) for hold in holds if hold.kind != "circuit"),
        stopped=next((_stopped(hold, now) for hold in holds if hold.kind == "circuit"), None),
    )


def _window(throttle: Throttle, on_the_way: int, over: tuple[int, float]) -> Places:
    amount, first = over
    used = amount + on_the_way
    free_in = 0.0 if used < throttle.limit else first if amount else None
    return Places(used, throttle.limit, throttle.seconds, free_in)


def _purses(throttle: Throttle, now: float, calls: Mapping[str, Any], tallies: Amounts) -> list[Purse]:
    set_ones = {budget.period: budget for budget in throttle.budgets}
    purses = []
    for period in PERIODS:
        budget, ends_in = set_ones.get(period, Budget(period)), period_end(period, now) - now
        for unit, kind, limit in (("dollars", "cost", budget.cost), ("tokens", "tokens", budget.tokens)):
            spent = tallies.get(f"{period}-{kind}", (0, 0.0))[0]
            purses.append(Purse(period, unit, spent, calls.get(f"own_{kind}", 0), limit, budget.warn, ends_in))
    return purses


def _parked(hold: Hold, now: float) -> Parked:
    return Parked(hold.key.partition("/")[2], hold.kind, hold.left_over, hold.until - now, hold.words)


def _stopped(hold: Hold, now: float) -> Stopped:
    return Stopped(hold.failures, hold.code, hold.words, hold.since, max(hold.until - now, 0.0), hold.call_id)


def in_dollars(billionths: int | None) -> float | None:
    return None if billionths is None else billionths / NANO
