"""Who may pass. Pure rules over what stands under one key at one moment; no database, no clock.

- First in, first out: whoever is kept back by a limit that all share (slots, window, tokens) keeps back all behind.
- Who is kept back by something of its own (its model's quota, a broken connection, an empty purse) keeps back nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from openai_api.throttle import NANO, Throttle

MINUTE, DAY = 60.0, 86_400
# Connections that fail hard this often in a row stop their queue.
FAILURES = 3
# Slots of other processes are looked at again after this many seconds; those of this process are known at once.
GLANCE = 0.1
# How long a request may travel after its last byte was handed to the network, in seconds.
MARGIN = 0.25


class Waiter(Protocol):
    """Someone in line: a ticket of this process, or another's permit."""

    @property
    def rank(self) -> int: ...
    @property
    def tokens(self) -> int: ...
    @property
    def cost(self) -> int: ...
    @property
    def connection(self) -> str: ...
    @property
    def hold_key(self) -> str: ...
    @property
    def batch(self) -> bool: ...
    @property
    def probe(self) -> bool: ...


Someone = TypeVar("Someone", bound=Waiter)


@dataclass(frozen=True)
class Obstacle:
    """Why someone may not pass now. `free_in` seconds are the soonest that this can change by itself.

    `shared` obstacles keep back everyone behind; a `final` one does not go away while one waits.
    """

    limit: str
    words: str
    free_in: float
    shared: bool = True
    final: bool = False


@dataclass(frozen=True)
class Held:
    """A hold on a connection or a model, see `openai_api.models.Hold`."""

    kind: str
    until: float
    left: int = 0
    failures: int = 0
    words: str = ""


@dataclass
class Standing:
    """What counts under one key at one moment. Whoever is let in is added with `take`.

    `tallies` maps a kind (`requests`, `tokens`, `day-cost`, …) to `(amount, seconds until the first of it is over)`.
    """

    throttle: Throttle
    batch: bool = False
    now: float = 0.0
    held: int = 0
    counted: int = 0
    tokens: int = 0
    cost: int = 0
    tallies: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    holds: Mapping[str, Sequence[Held]] = field(default_factory=dict)

    def take(self, one: Waiter) -> None:
        self.held += 1
        self.counted += 1
        self.tokens += one.tokens
        self.cost += one.cost

    def own(self, one: Waiter) -> Obstacle | None:
        """What keeps back this one alone."""
        return None if self.batch else self._circuit(one) or self._budget(one) or self._quota(one)

    def shared(self, one: Waiter) -> Obstacle | None:
        """What keeps back this one and everyone behind it."""
        if self.batch:
            return self._slots("batches", "concurrent batch executions", self.throttle.batches, 1.0)
        slots = self._slots("connections", "concurrent connections", self.throttle.connections, GLANCE)
        return slots or self._window() or self._tokens(one)

    def _slots(self, limit: str, name: str, slots: int, look: float) -> Obstacle | None:
        if self.held < slots:
            return None
        words = f"all {slots} {name} are in use" if slots > 1 else f"the one of the {name} is in use"
        return Obstacle(limit, words, look)

    def _window(self) -> Obstacle | None:
        amount, first = self.tallies.get("requests", (0, 0.0))
        limit, seconds = self.throttle.limit, self.throttle.seconds
        if amount + self.counted < limit:
            return None
        words = f"all {limit} requests in {seconds:g} s are" if limit > 1 else f"the one request in {seconds:g} s is"
        return Obstacle("window", f"{words} used up", first if amount else seconds)

    def _tokens(self, one: Waiter) -> Obstacle | None:
        limit = self.throttle.tokens
        amount, first = self.tallies.get("tokens", (0, 0.0))
        # What is larger than the limit itself passes alone, or it would wait for ever.
        if not limit or amount + self.tokens + min(one.tokens, limit) <= limit:
            return None
        return Obstacle("tokens", f"{limit} tokens in a minute are used up", first if amount else GLANCE)

    def _budget(self, one: Waiter) -> Obstacle | None:
        """Nothing passes that is expected to cost more than is left, nor anything at all when nothing is left."""
        for budget in self.throttle.budgets:
            money, tokens = self._spent(budget.period, "cost"), self._spent(budget.period, "tokens")
            over = ""
            if budget.cost is not None and money + self.cost + max(one.cost, 1) > budget.cost:
                over = f"${budget.cost / NANO:.2f}"
            elif budget.tokens is not None and tokens + self.tokens + max(one.tokens, 1) > budget.tokens:
                over = f"{budget.tokens:,} tokens"
            if over:
                words = f"the budget of {over} a {budget.period} is used up"
                left = period_end(budget.period, self.now) - self.now
                return Obstacle("budget", words, left, shared=False, final=True)
        return None

    def _spent(self, period: str, what: str) -> int:
        return self.tallies.get(f"{period}-{what}", (0, 0.0))[0]

    def _quota(self, one: Waiter) -> Obstacle | None:
        for hold in self.holds.get(one.hold_key, ()):
            over = hold.until - self.now
            if over > 0 and (hold.kind == "requests" or hold.left <= one.tokens):
                return Obstacle("quota", f"OpenAI's own limit is used up: {hold.words}", over, shared=False)
        return None

    def _circuit(self, one: Waiter) -> Obstacle | None:
        for hold in self.holds.get(one.connection, ()):
            if hold.kind == "circuit" and hold.failures >= FAILURES and not one.probe:
                again = max(hold.until - self.now, 1.0)
                words = f"the connection failed {hold.failures} times in a row and is stopped. {hold.words}"
                return Obstacle("circuit", words, again, shared=False, final=True)
        return None


@dataclass
class Verdicts(Generic[Someone]):
    """What became of a line: who passes, in order, and what keeps back the others."""

    passing: list[Someone] = field(default_factory=list)
    kept: list[tuple[Someone, Obstacle]] = field(default_factory=list)


def decide(standing: Standing, line: Iterable[Someone]) -> Verdicts[Someone]:
    """Go down the line in its order. `standing` afterwards counts whoever passes."""
    verdicts: Verdicts[Someone] = Verdicts()
    barrier: Obstacle | None = None
    for one in line:
        obstacle = standing.own(one)
        if obstacle is None:
            obstacle = barrier = barrier or standing.shared(one)
        if obstacle is None:
            standing.take(one)
            verdicts.passing.append(one)
        else:
            verdicts.kept.append((one, obstacle))
    return verdicts


def period_end(period: str, now: float) -> float:
    """When the `day` or `month` (UTC) that holds `now` is over; seconds since 1970."""
    return _period_end(period, int(now // DAY))


@lru_cache(maxsize=64)
def _period_end(period: str, day: int) -> float:
    today = datetime.fromtimestamp(day * DAY, UTC)
    if period == "day":
        return (today + timedelta(days=1)).timestamp()
    return (today.replace(day=28) + timedelta(days=4)).replace(day=1).timestamp()
