"""One thread in each process talks to the database for all of its calls, turn after turn.

What arrives together is admitted together: every pending arrival and ending goes into one transaction, and its callers are
woken after the commit. Alone, a call waits for nobody.

When the database cannot write, arrivals are refused (nothing was sent, so nothing goes unlogged) and endings wait.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from logs.recorder import Ended
from logs.redaction import Redacted
from openai_api import errors
from openai_api.gate import state
from openai_api.gate.rules import GLANCE
from openai_api.gate.tickets import Ticket
from openai_api.gate.turn import Arrival, Command, Ending, Line, Sent, Turn
from openai_api.gate.waiting import Outbox, Reply, together
from openai_api.throttle import Throttle

logger = logging.getLogger(__name__)

RENEW = 3.0
TIDY = 5.0
IDLE = 2.0
# An ending that nobody waits for may stay this long for an arrival to share its transaction with.
LINGER = 0.003
# A turn serves so many at most: the first are on their way while the next are written.
MOST_A_TURN = 64
# So many commands may wait to be written; who comes then is refused at once.
MOST_PENDING = 5000
# An ending that the database refuses is said again so often. Then its permit is left to the sweep, which logs it as unknown.
TRIES = 5
STALLED = (OperationalError, InterfaceError)


class Gate:
    """This process's side of the gate. Use the module's `gate`; tests make their own to play other processes.

    `clock` is the clock that all processes share, `ticking` this process's own, which never goes back.
    """

    def __init__(
        self,
        name: str = "",
        clock: Callable[[], float] = state.clock,
        ticking: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name or settings.PROCESS_NAME or uuid.uuid4().hex
        self._clock, self._ticking = clock, ticking
        self._outbox: Outbox[Command] = Outbox(self._submit, MOST_A_TURN)
        self._inbox: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._line: Line = {}
        self._live: set[Ticket] = set()
        self._kept: list[Command] = []
        self._wake_in = IDLE
        self._renew_at = self._tidy_at = 0.0
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    # What callers say

    def arrive(
        self, ticket: Ticket, call: dict[str, Any] | None = None, request: Redacted | None = None
    ) -> Reply[Ticket]:
        """Write the call's row and take a place in line. The reply gives the ticket once admitted, or raises Rejected.

        Raises LogUnavailable when too much waits to be written already.
        """
        if self._inbox.qsize() > MOST_PENDING:
            raise errors.LogUnavailable(f"{MOST_PENDING} calls wait already to be written to the log")
        self._outbox.put(Arrival(ticket, call, request))
        return ticket.admitted

    def sent(self, ticket: Ticket) -> None:
        """The request of this ticket went out whole. Its place in the window counts from now, if its throttle says so."""
        if ticket.throttle.from_sent and not ticket.batch:
            self._outbox.put(Sent(ticket, self._ticking()))

    def again(self, ticket: Ticket, ended: Ended, seconds: float, reason: str) -> tuple[Ticket, Reply[Ticket]]:
        """End this attempt and stand in line for the next one, `seconds` from now, in the place of the first."""
        following = ticket.following(seconds)
        self._outbox.put(Ending(ticket, self._ticking(), ended, following, reason))
        return following, following.admitted

    def finish(self, ticket: Ticket, ended: Ended | None = None) -> Reply[None]:
        """Give the slot back and complete the rows. Also the way out for whoever leaves the line."""
        done: Reply[None] = Reply()
        self._outbox.put(Ending(ticket, self._ticking(), ended, done=done))
        return done

    def finish_soon(self, ticket: Ticket, ended: Ended) -> None:
        """The same for who does not wait for it: it may be written a little later, together with the next arrival."""
        self._outbox.put(Ending(ticket, self._ticking(), ended))

    def stop(self, timeout: float = 5.0) -> None:
        """Let the thread finish what is pending and close its database connection."""
        self._outbox.flush()
        with self._lock:
            thread = self._thread
        self._live.clear()
        self._line.clear()
        until = time.monotonic() + timeout
        while thread is not None and thread.is_alive() and time.monotonic() < until:
            self._inbox.put(None)  # more than once: one that came together with an ending is gone with it
            thread.join(0.02)

    # The thread

    def _submit(self, commands: list[Command]) -> None:
        with self._lock:
            for command in commands:
                self._inbox.put(command)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="gate", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        try:
            while self._step():
                pass
        finally:
            connection.close()

    def _step(self) -> bool:
        """Wait for something to do, and do it. False ends the thread, when nothing lives and nothing came."""
        commands = self._collect()
        if not commands and not self._live:
            with self._lock:
                if self._inbox.empty():
                    self._thread = None
                    return False
        self.take_turn(commands)
        return True

    def _collect(self) -> list[Command]:
        """All that is pending, after waiting for the first of it as long as nobody's turn comes."""
        found, self._kept = self._kept, []
        with contextlib.suppress(queue.Empty):
            self._add(found, self._inbox.get(timeout=GLANCE if found else self._wake_in))
            awaited = bool(self._line) or any(map(_is_awaited, found))
            while len(found) < MOST_A_TURN:
                self._add(found, self._inbox.get_nowait() if awaited else self._inbox.get(timeout=LINGER))
                awaited = awaited or any(map(_is_awaited, found[-1:]))
        return found

    @staticmethod
    def _add(found: list[Command], command: Command | None) -> None:
        if command is not None:
            found.append(command)

    def take_turn(self, commands: Sequence[Command]) -> None:
        """One turn. Where its writing fails for another reason than the database's absence, each command is tried alone."""
        try:
            told = self._write(commands)
        except Exception as error:
            connection.close()
            if isinstance(error, STALLED) or len(commands) < 2:
                self._undo(commands, error)
                return
            for command in commands:
                self.take_turn([command])
            return
        with together():
            for tell in told:
                tell()

    def _write(self, commands: Sequence[Command]) -> list[Callable[[], None]]:
        with transaction.atomic():
            state.take_lock()
            # In this order: what lies between the two is then added to how long a place counts, never taken from it.
            ticking = self._ticking()
            turn = Turn(self.name, self._line, commands, self._clock(), ticking)
            turn.run()
            self._keep_house(turn)
        told = turn.conclude(self._live)
        self._wake_in = min(turn.wake_in, RENEW if self._live else IDLE)
        return told

    def _keep_house(self, turn: Turn) -> None:
        """Renew the leases of what is on the wire or in line, and forget what counts no more."""
        ticking = self._ticking()
        if ticking >= self._renew_at:
            self._renew_at = ticking + RENEW
            turn.renew(self._live)
        if ticking >= self._tidy_at:
            self._tidy_at = ticking + TIDY
            turn.tidy(self._live)

    def _undo(self, commands: Sequence[Command], error: Exception) -> None:
        """Nothing of this turn was written. Arrivals are told; what has been sent and has ended is said again."""
        logger.error("The gate could not write to the database", exc_info=error)
        for command in commands:
            if isinstance(command, Arrival):
                command.ticket.admitted.fail(errors.LogUnavailable("the database did not take its row"))
            elif isinstance(command, Ending) and command.tries < TRIES:
                self._kept.append(command.again())
            elif isinstance(command, Ending):
                self._live.discard(command.ticket)
                if command.done is not None:
                    command.done.fail(error)
        self._wake_in = GLANCE


def _is_awaited(command: Command) -> bool:
    """Whether somebody waits for what this turn says. Nobody does for an ending that may be written soon."""
    return not (isinstance(command, Ending) and command.patient)


gate = Gate()


@contextlib.contextmanager
def batch(throttle: Throttle) -> Iterator[None]:
    """One concurrent batch execution, given back at the end. Raises Rejected when none came free before the deadline."""
    ticket = Ticket(throttle, None, batch=True)
    gate.arrive(ticket).result()
    try:
        yield
    finally:
        gate.finish(ticket).result()
