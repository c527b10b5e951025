"""The gate's state as it stands in the database: read for one turn, and written back in a few statements.

Everything here runs inside the turn's transaction, under a lock that lets one process at a time count.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from django.db import connection

from logs import bulk
from openai_api.gate import holds
from openai_api.gate.rules import MARGIN, MINUTE, Held, Standing, period_end
from openai_api.gate.tickets import Ticket
from openai_api.models import Hold, Permit, Tally
from openai_api.throttle import Throttle

LEASE = 12.0
# A window is kept in this many portions; what ends within one portion counts until that portion's end.
PORTIONS = 250
# Of other processes' lines only so many are looked at: more than this could not pass in one turn.
OTHERS = 300
# Money and tokens are counted for these, whether a budget is set or not: one that is set later knows what was spent.
PERIODS = ("day", "month")


def clock() -> float:
    """Unix seconds by the clock that all processes share: PostgreSQL's own, or with SQLite this machine's."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
            return float(cursor.fetchone()[0])
    return time.time()


def take_lock() -> None:
    """SQLite's immediate transaction is a lock; PostgreSQL needs one, so that two processes never count at once."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('patchbay gate'))")


@dataclass(frozen=True)
class Stranger:
    """Another process's permit in line."""

    rank: int
    tokens: int
    cost: int
    hold_key: str
    batch: bool = False
    probe: bool = False

    @property
    def connection(self) -> str:
        return self.hold_key.partition("/")[0]


# All that counts for one line, in one statement: rows of (what, name, kind, four whole numbers, a time, words).
#
# A lease that ran out frees the slot at once. Its place counts on for as long as OpenAI may still have counted it.
LOOK = """
SELECT 'held', '', '', COUNT(CASE WHEN lease_until > %s THEN 1 END),
    COUNT(CASE WHEN counted AND lease_until + seconds > %s THEN 1 END),
    CAST(COALESCE(SUM(tokens), 0) AS BIGINT), CAST(COALESCE(SUM(cost), 0) AS BIGINT), 0.0, ''
FROM openai_api_permit WHERE key = %s AND state = 'held'
UNION ALL SELECT 'tally', kind, '', CAST(SUM(amount) AS BIGINT), 0, 0, 0, MIN(until) / 1000.0, ''
FROM openai_api_tally WHERE key = %s AND until > %s GROUP BY kind
UNION ALL SELECT * FROM (SELECT 'stranger', hold_key, '', rank, tokens, cost, 0, 0.0, ''
FROM openai_api_permit WHERE key = %s AND state = 'waiting' AND holder <> %s AND lease_until > %s AND not_before <= %s
ORDER BY rank, id LIMIT %s) AS others
UNION ALL SELECT 'hold', key, kind, left_over, failures, 0, 0, until, words FROM openai_api_hold WHERE key IN ({})
"""


def look(
    key: str, throttle: Throttle, batch: bool, wanted: Iterable[str], holder: str, now: float
) -> tuple[Standing, list[Stranger]]:
    """What counts under `key` now, and who stands in line under it in other processes than `holder`, first in line first.

    `wanted` are the keys of the holds that matter to the line.
    """
    standing, strangers = Standing(throttle, batch, now), list[Stranger]()
    tallies, found = dict[str, tuple[int, float]](), defaultdict[str, list[Held]](list)
    keys = sorted(name for name in set(wanted) if name) or [""]
    values = [now, now, key, key, int(now * 1000), key, holder, now, now, OTHERS, *keys]
    for what, name, kind, one, two, three, four, until, words in _rows(_look(len(keys)), values):
        if what == "held":
            standing.held, standing.counted, standing.tokens, standing.cost = one, two, three, four
        elif what == "tally":
            tallies[name] = one, max(float(until) - now, 0.001)
        elif what == "stranger":
            strangers.append(Stranger(one, two, three, name))
        else:
            found[name].append(Held(kind, until, one, two, words))
            holds.known.add((name, kind))
    if not batch:
        standing.tallies, standing.holds = tallies, found
    return standing, strangers


@cache
def _look(holds: int) -> str:
    return LOOK.format(", ".join(["%s"] * holds))


def last_rank() -> int:
    """The highest rank in line; whoever comes now stands behind it, also when the clock went back."""
    rows = _rows("SELECT MAX(rank) FROM openai_api_permit", [])
    return rows[0][0] or 0


def insert_permits(tickets: Sequence[Ticket], held: Container[Ticket], holder: str, now: float) -> None:
    bulk.insert(
        Permit,
        [
            {
                "id": (key := bulk.ready(ticket.id)),
                "key": ticket.key,
                "hold_key": ticket.hold_key,
                "rank": ticket.rank,
                "call_id": key if ticket.call_id is ticket.id else ticket.call_id,
                "attempt": ticket.attempt,
                "holder": holder,
                "state": "held" if ticket in held else "waiting",
                "counted": ticket.counted and not ticket.batch,
                "tokens": ticket.tokens,
                "cost": ticket.cost,
                "seconds": 0.0 if ticket.batch else ticket.throttle.seconds,
                "not_before": ticket.due,
                "lease_until": now + LEASE,
            }
            for ticket in tickets
        ],
    )


def hold_permits(tickets: Sequence[Ticket], now: float) -> None:
    bulk.update(Permit, [{"id": ticket.id, "state": "held", "lease_until": now + LEASE} for ticket in tickets])


def uncount_permits(tickets: Sequence[Ticket]) -> None:
    """Their places stand in a tally now."""
    bulk.update(Permit, [{"id": ticket.id, "counted": False} for ticket in tickets])


def delete_permits(tickets: Sequence[Ticket]) -> None:
    bulk.delete(Permit, [ticket.id for ticket in tickets])


def renew(tickets: Sequence[Ticket], now: float) -> None:
    for start in range(0, len(tickets), 500):
        some = [ticket.id for ticket in tickets[start : start + 500]]
        Permit.objects.filter(pk__in=some).update(lease_until=now + LEASE)


class Tallies:
    """What a turn adds to the tallies, gathered so that each row is written once."""

    def __init__(self) -> None:
        self._amounts: dict[tuple[str, str, int], int] = defaultdict(int)

    def place(self, key: str, seconds: float, until: float) -> None:
        self._add(key, "requests", _portion(until, seconds), 1)

    def tokens(self, throttle: Throttle, tokens: int, now: float) -> None:
        if throttle.tokens and tokens:
            self._add(throttle.key, "tokens", _portion(now + MINUTE, MINUTE), tokens)

    def spend(self, throttle: Throttle, tokens: int, cost: int, now: float) -> None:
        for period, until in _ends(now):
            self._add(throttle.key, f"{period}-tokens", until, tokens)
            self._add(throttle.key, f"{period}-cost", until, cost)

    def _add(self, key: str, kind: str, until: int, amount: int) -> None:
        if amount:
            self._amounts[key, kind, until] += amount

    def write(self) -> None:
        rows = [
            {"key": key, "kind": kind, "until": until, "amount": amount}
            for (key, kind, until), amount in self._amounts.items()
        ]
        bulk.insert(Tally, rows, add_up="amount", on=("key", "kind", "until"))


@lru_cache(maxsize=4)
def _ends(now: float) -> list[tuple[str, int]]:
    """The periods and when they end, in milliseconds. A turn asks with the same `now` for each of its calls."""
    return [(period, round(period_end(period, now) * 1000)) for period in PERIODS]


def _portion(until: float, seconds: float) -> int:
    """Milliseconds, rounded up to the end of a portion of the window."""
    width = max(seconds * 1000 / PORTIONS, 1.0)
    return math.ceil(math.ceil(until * 1000 / width) * width)


def tidy(now: float) -> None:
    """Forget what counts no more."""
    Tally.objects.filter(until__lte=int(now * 1000)).delete()
    Hold.objects.filter(until__lte=now).exclude(kind="circuit").delete()


def set_right(key: str, throttle: Throttle, now: float) -> None:
    """After the clock went back, nothing may count longer than it would have if it had ended now."""
    for kind, seconds in (("requests", throttle.seconds), ("tokens", MINUTE)):
        latest = _portion(now + seconds + MARGIN, seconds)
        beyond = Tally.objects.filter(key=key, kind=kind, until__gt=latest)
        amount = sum(beyond.values_list("amount", flat=True))
        if amount:
            beyond.delete()
            row = {"key": key, "kind": kind, "until": latest, "amount": amount}
            bulk.insert(Tally, [row], add_up="amount", on=("key", "kind", "until"))


def _rows(sql: str, values: Sequence[Any]) -> list[Any]:
    return list(bulk.execute(sql, values).fetchall())
