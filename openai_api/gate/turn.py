"""One turn of the gate: everything that was said since the last one, in one transaction.

A turn reads what stands, decides, and writes, in about a dozen statements however many calls it serves. It changes nothing
in memory before its commit, so that a turn that failed can be taken again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from logs.recorder import Ended, Page
from logs.redaction import Redacted
from openai_api import errors
from openai_api.gate import holds, state
from openai_api.gate.rules import GLANCE, MARGIN, Obstacle, decide
from openai_api.gate.tickets import Ticket
from openai_api.gate.waiting import Reply
from openai_api.throttle import NANO

SOONEST = 0.005
Line = dict[str, list[Ticket]]


class Arrival(NamedTuple):
    """Stand in line. With `call` (fields of the log's row) and `request`, the call's row is written first."""

    ticket: Ticket
    call: dict[str, Any] | None = None
    request: Redacted | None = None


class Sent(NamedTuple):
    """The request went out whole, `at` seconds of this process's monotonic clock."""

    ticket: Ticket
    at: float


class Ending(NamedTuple):
    """An attempt is over, or its caller left the line, `at` seconds of this process's monotonic clock.

    With `following` the call goes on for the `reason` given. `done` is settled once it is written; without it nobody waits.
    """

    ticket: Ticket
    at: float
    ended: Ended | None = None
    following: Ticket | None = None
    reason: str = ""
    done: Reply[None] | None = None
    tries: int = 0

    @property
    def patient(self) -> bool:
        return self.done is None and self.following is None

    def again(self) -> Ending:
        return self._replace(tries=self.tries + 1)


Command = Arrival | Sent | Ending


class Turn:
    """Takes the commands of one turn. After `run` and the commit, `conclude` changes what the process knows."""

    def __init__(self, holder: str, line: Line, commands: Sequence[Command], now: float, ticking: float) -> None:
        self._holder = holder
        self._line = line
        self._now = now
        self._ticking = ticking
        self._page = Page()
        self._tallies = state.Tallies()
        self._endings = [one for one in commands if isinstance(one, Ending)]
        self._sent = [one for one in commands if isinstance(one, Sent)]
        self._arrivals = [one for one in commands if isinstance(one, Arrival)]
        self._over = {one.ticket for one in self._endings}
        self._new: list[Ticket] = []
        self._passing: list[Ticket] = []
        self._refused: dict[Ticket, errors.Rejected] = {}
        self._gone: set[Ticket] = set()
        self._uncounted: list[Ticket] = []
        self._causes: dict[Ticket, str] = {}
        self.wake_in = float("inf")

    # Inside the transaction

    def run(self) -> None:
        self._end()
        self._mark_sent()
        state.delete_permits([one.ticket for one in self._endings])
        state.uncount_permits(self._uncounted)
        self._tallies.write()
        self._arrive()
        for key in self._keys():
            self._go_down(key)
        self._write_permits()
        self._page.write()

    def _end(self) -> None:
        for one in self._endings:
            ticket, ended = one.ticket, one.ended
            if ticket.held:
                self._account(one)
            if ticket.call_id is None or ended is None:
                continue
            ago = max(0.0, self._ticking - (ended.over_at or one.at))
            if ticket.held:
                pause = round(one.following.delay * 1000) if one.following else None
                self._page.finish_attempt(ticket.call_id, ticket.attempt, ended, ago, one.reason, pause)
            if one.following is None:
                sent = ticket.held or ticket.attempt > 1
                self._page.finish_call(ticket.call_id, ended, self._spent(ticket, ended) if sent else None, ago)

    def _account(self, one: Ending) -> None:
        """The place counts on, tokens and money are what they were, and OpenAI's own limits are heeded."""
        ticket, ended = one.ticket, one.ended
        if ticket.batch:
            return
        if ticket.counted:
            self._tallies.place(ticket.key, ticket.throttle.seconds, self._past(one.at) + ticket.throttle.seconds)
        if ended is None:
            return
        tokens, cost = _used(ticket, ended)
        self._tallies.tokens(ticket.throttle, tokens, self._now)
        self._tallies.spend(ticket.throttle, tokens, cost, self._now)
        holds.observe(ticket, ended, self._now)

    def _spent(self, ticket: Ticket, ended: Ended | None) -> int:
        """Milliseconds at OpenAI over all attempts."""
        if ended is not None and ended.spent_ms is not None:
            return ticket.spent_ms + ended.spent_ms
        return ticket.spent_ms + (round((self._ticking - ticket.admitted_at) * 1000) if ticket.held else 0)

    def _mark_sent(self) -> None:
        for one in self._sent:
            ticket = one.ticket
            if ticket in self._over or not ticket.held or not ticket.counted:
                continue
            until = self._past(one.at) + MARGIN + ticket.throttle.seconds
            self._tallies.place(ticket.key, ticket.throttle.seconds, until)
            self._uncounted.append(ticket)

    def _arrive(self) -> None:
        for one in self._arrivals:
            if one.call is not None and one.request is not None:
                self._page.open_call(one.call, one.request)
        # Whoever came and left between two turns stands nowhere.
        self._new = [one.ticket for one in self._arrivals if one.ticket not in self._over]
        self._new += [one.following for one in self._endings if one.following is not None]
        last = max(state.last_rank(), round(self._now * 1_000_000)) if self._new else 0
        for place, ticket in enumerate(self._new, 1):
            ticket.rank = ticket.rank or last + place
            ticket.due = self._now + ticket.delay

    def _keys(self) -> list[str]:
        waiting = {key for key, line in self._line.items() if line}
        return sorted(waiting | {ticket.key for ticket in self._new})

    def _go_down(self, key: str) -> None:
        mine = [ticket for ticket in self._line.get(key, ()) if ticket not in self._over]
        mine += [ticket for ticket in self._new if ticket.key == key]
        if not mine:
            return
        due = [ticket for ticket in mine if self._rest(ticket) <= 0]
        for ticket in mine:
            if (rest := self._rest(ticket)) > 0:
                self._wake(rest)
        if due:
            self._judge(key, due, mine[-1])

    def _judge(self, key: str, due: list[Ticket], latest: Ticket) -> None:
        """The limits of whoever came last are in force, so that a change of settings holds at once."""
        wanted = {name for ticket in due for name in (ticket.connection, ticket.hold_key)}
        standing, others = state.look(key, latest.throttle, latest.batch, wanted, self._holder, self._now)
        line: list[Ticket | state.Stranger] = sorted([*due, *others], key=_place)
        verdicts = decide(standing, line)
        for one in verdicts.passing:
            if isinstance(one, Ticket):
                self._let_in(one)
        for someone, obstacle in verdicts.kept:
            if isinstance(someone, Ticket):
                self._keep(someone, obstacle)

    def _let_in(self, ticket: Ticket) -> None:
        if not ticket.admitted.claim():
            self._gone.add(ticket)
            self._wake(SOONEST)
            return
        self._passing.append(ticket)
        if ticket.call_id:
            waited = round(self._waited(ticket) * 1000)
            so_far = ticket.queue_ms + waited
            self._page.start_attempt(ticket.id, ticket.call_id, ticket.attempt, waited, so_far, ticket.cause)

    def _keep(self, ticket: Ticket, obstacle: Obstacle) -> None:
        """Whoever's deadline has passed leaves with the name of the limit and the time to come back."""
        self._causes[ticket] = obstacle.limit
        waited = self._waited(ticket)
        if waited < ticket.patience and not obstacle.final:
            self._wake(
                min(ticket.patience - waited, obstacle.free_in if obstacle.shared else max(obstacle.free_in, GLANCE))
            )
            return
        error = errors.kept_back(obstacle.limit, obstacle.words, obstacle.free_in, waited)
        error.call_id = ticket.call_id
        self._refused[ticket] = error
        if ticket.call_id:
            self._page.finish_call(ticket.call_id, _refusal(error), ticket.spent_ms if ticket.attempt > 1 else None)

    def _past(self, at: float) -> float:
        """A moment of this process's own clock, by the clock that all processes share."""
        return self._now - max(0.0, self._ticking - at)

    def _rest(self, ticket: Ticket) -> float:
        """Seconds that a retry was told to wait and has not yet. By this process's own clock: the shared one may go back."""
        return ticket.queued_at + ticket.delay - self._ticking

    def _waited(self, ticket: Ticket) -> float:
        """Seconds in line, without the time that a retry was told to wait."""
        return max(0.0, self._ticking - ticket.queued_at - ticket.delay)

    def _wake(self, seconds: float) -> None:
        self.wake_in = max(min(self.wake_in, seconds), SOONEST)

    def _write_permits(self) -> None:
        out = self._gone | set(self._refused)
        new, passing = set(self._new), set(self._passing)
        fresh = [ticket for ticket in self._new if ticket not in out]
        state.insert_permits(fresh, passing, self._holder, self._now)
        state.hold_permits([ticket for ticket in self._passing if ticket not in new], self._now)
        state.delete_permits([ticket for ticket in out if ticket not in new])

    def renew(self, live: set[Ticket]) -> None:
        state.renew([ticket for ticket in live if ticket not in self._over], self._now)

    def tidy(self, live: set[Ticket]) -> None:
        state.tidy(self._now)
        for throttle in {ticket.throttle.key: ticket.throttle for ticket in live if not ticket.batch}.values():
            state.set_right(throttle.key, throttle, self._now)

    # After the commit

    def conclude(self, live: set[Ticket]) -> list[Callable[[], None]]:
        """Change what this process knows. Gives what is to be told to the callers."""
        for one in self._endings:
            if one.following is not None:
                one.following.spent_ms = self._spent(one.ticket, one.ended)
        out = self._over | self._gone | set(self._refused) | set(self._passing)
        for ticket in self._new:
            self._line.setdefault(ticket.key, []).append(ticket)
        for key in [key for key, line in self._line.items() if any(ticket in out for ticket in line)]:
            self._line[key] = [ticket for ticket in self._line[key] if ticket not in out]
            if not self._line[key]:
                del self._line[key]
        live.update(self._new)
        live -= self._over | self._gone | set(self._refused)
        for ticket, cause in self._causes.items():
            ticket.cause = cause
        for ticket in self._uncounted:
            ticket.counted = False
        for ticket in self._passing:
            ticket.queue_ms += round(self._waited(ticket) * 1000)
            ticket.held, ticket.admitted_at = True, self._ticking
        told: list[Callable[[], None]] = [partial(ticket.admitted.give, ticket) for ticket in self._passing]
        told += [partial(ticket.admitted.fail, error) for ticket, error in self._refused.items()]
        told += [partial(one.done.give, None) for one in self._endings if one.done is not None]
        return told


def _place(one: Ticket | state.Stranger) -> int:
    return one.rank


def _used(ticket: Ticket, ended: Ended) -> tuple[int, int]:
    """Tokens and billionths of a dollar. What was sent and not answered counts as expected: it may have been paid."""
    if ended.state in ("unknown", "cancelled") and not ended.tokens:
        return ticket.tokens, ticket.cost
    tokens = ended.tokens.get("total_tokens")
    if tokens is None:
        tokens = ended.tokens.get("input_tokens", 0) + ended.tokens.get("output_tokens", 0)
    return tokens, round((ended.cost or 0) * NANO)


def _refusal(error: errors.Rejected) -> Ended:
    return Ended("rejected", error_code=error.kind, error_message=error.sentence, help_code=error.help_code)
