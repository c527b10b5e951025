"""The gate: who may send now. Window, slots and leases stand in the database and are taken in one step.

One thread in each process talks to the database for all of its calls. What arrives together is admitted together: every
pending arrival and completion goes into one transaction, and its callers are woken after the commit. Alone, a call waits
for nobody.

Rules
- A place in the window counts until `seconds` after its attempt *ended*, because that is the last moment at which OpenAI
  may have counted it. A slot counts while the attempt is on the wire.
- First in, first out over all processes: of the free places, the first in line get theirs, whoever runs them.
- A lease that is not renewed belongs to a process that died: its slot is free when the lease ends.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Min, Q

from logs import recorder
from logs.redaction import Redacted
from openai_api.errors import Rejected
from openai_api.models import Permit
from openai_api.throttle import Throttle

logger = logging.getLogger(__name__)

LEASE = 12.0
RENEW = 3.0
# How soon a slot that another process gives back is seen. Slots of this process are seen at once.
GLANCE = 0.1
IDLE = 2.0


def clock() -> float:
    """Unix seconds by the clock that all processes share: PostgreSQL's own, or with SQLite this machine's."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
            return float(cursor.fetchone()[0])
    return time.time()


@dataclass(eq=False)
class Ticket:
    """One attempt of a call (or one batch execution, `call_id` None), from its place in line to its end."""

    throttle: Throttle
    call_id: uuid.UUID | None
    attempt: int = 1
    rank: int = 0
    delay: float = 0.0
    batch: bool = False
    permit_id: int = 0
    held: bool = False
    cause: str = ""
    queued_at: float = field(default_factory=time.monotonic)
    admitted: Future[Ticket] = field(default_factory=Future)

    @property
    def key(self) -> str:
        return f"{self.throttle.key}/batches" if self.batch else self.throttle.key

    @property
    def slots(self) -> int:
        return self.throttle.batches if self.batch else self.throttle.connections

    @property
    def waited(self) -> float:
        """Seconds in line, without the time that a retry was told to wait."""
        return max(0.0, time.monotonic() - self.queued_at - self.delay)

    @property
    def patience(self) -> float:
        return self.throttle.deadline if self.throttle.wait else 0.0


@dataclass(frozen=True)
class Command:
    """Something to write. `settles` is true where the commit itself is the answer; an arrival is answered by admission."""

    write: Callable[[], None]
    future: Future[Any]
    settles: bool = False


class Gate:
    """This process's side of the gate. Use the module's `gate`; tests make their own to play other processes."""

    def __init__(self, name: str = "") -> None:
        self.name = name or settings.PROCESS_NAME or uuid.uuid4().hex
        self._inbox: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._line: dict[str, list[Ticket]] = {}
        self._live: set[Ticket] = set()
        self._wake_in = IDLE
        self._renew_at = 0.0
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._let_in_now: list[Ticket] = []

    # What callers say

    def arrive(
        self, ticket: Ticket, call: dict[str, Any] | None = None, request: Redacted | None = None
    ) -> Future[Ticket]:
        """Write the call's row and take a place in line. The future gives the ticket once admitted, or raises Rejected."""

        def command() -> None:
            if call is not None and request is not None:
                recorder.open_call(call, request)
            self._stand_in_line(ticket)

        self._submit(Command(command, ticket.admitted))
        return ticket.admitted

    def again(
        self, ticket: Ticket, ended: recorder.Ended, seconds: float, reason: str
    ) -> tuple[Ticket, Future[Ticket]]:
        """End this attempt and stand in line for the next one, `seconds` from now, in the place of the first."""
        following = Ticket(ticket.throttle, ticket.call_id, ticket.attempt + 1, ticket.rank, delay=seconds)

        def command() -> None:
            self._end(ticket)
            if ticket.call_id:
                recorder.finish_attempt(ticket.call_id, ticket.attempt, ended, reason, round(seconds * 1000))
            self._stand_in_line(following)

        self._submit(Command(command, following.admitted))
        return following, following.admitted

    def finish(self, ticket: Ticket, ended: recorder.Ended | None = None) -> Future[None]:
        """Give the slot back and complete the rows. Also the way out for whoever leaves the line."""

        def command() -> None:
            was_sent = ticket.held
            self._end(ticket)
            if ticket.call_id and ended:
                if was_sent:
                    recorder.finish_attempt(ticket.call_id, ticket.attempt, ended)
                recorder.finish_call(ticket.call_id, ended)

        done: Future[None] = Future()
        self._submit(Command(command, done, settles=True))
        return done

    def stop(self, timeout: float = 5.0) -> None:
        """Let the thread finish what is pending and close its database connection."""
        with self._lock:
            thread = self._thread
        self._live.clear()
        self._line.clear()
        if thread is not None:
            self._inbox.put(None)
            thread.join(timeout)

    # The thread

    def _submit(self, command: Command) -> None:
        with self._lock:
            self._inbox.put(command)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="gate", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            connection.close()

    def _turn(self) -> bool:
        """One group of commands in one transaction. False ends the thread, when nothing lives and nothing came."""
        commands = self._collect()
        if not commands and not self._live:
            with self._lock:
                if self._inbox.empty():
                    self._thread = None
                    return False
        after: list[Callable[[], None]] = []
        self._let_in_now = []
        try:
            with transaction.atomic():
                self._take_lock()
                after += [self._execute(command) for command in commands]
                after += self._admit_all()
                self._renew()
        except Exception as error:
            logger.exception("The gate could not write to the database")
            connection.close()
            self._undo(commands, error)
            return True
        for action in after:
            action()
        return True

    def _collect(self) -> list[Command]:
        """All that is pending, after waiting for the first of it as long as nobody's turn comes."""
        found: list[Command] = []
        with contextlib.suppress(queue.Empty):
            first = self._inbox.get(timeout=self._wake_in)
            if first is not None:
                found.append(first)
            while True:
                command = self._inbox.get_nowait()
                if command is not None:
                    found.append(command)
        return found

    @staticmethod
    def _take_lock() -> None:
        """SQLite's immediate transaction is a lock; PostgreSQL needs one, so that two processes never count at once."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext('patchbay gate'))")

    @staticmethod
    def _execute(command: Command) -> Callable[[], None]:
        """Run one command in a savepoint of its own: its failure is its caller's alone. Gives what to do after the commit."""
        try:
            with transaction.atomic():
                command.write()
        except Exception as error:
            return partial(_fail, command.future, error)
        return partial(_settle, command.future) if command.settles else _nothing

    def _undo(self, commands: list[Command], error: Exception) -> None:
        """Nothing of this turn was written: whoever spoke or was let in is told, and nobody waits for ever."""
        lost = {command.future for command in commands} | {ticket.admitted for ticket in self._let_in_now}
        for key, line in self._line.items():
            self._line[key] = [ticket for ticket in line if ticket.admitted not in lost]
        self._live = {ticket for ticket in self._live if ticket.admitted not in lost}
        for future in lost:
            _fail(future, error)
        self._wake_in = GLANCE

    # Inside the transaction

    def _stand_in_line(self, ticket: Ticket) -> None:
        now = clock()
        permit = Permit.objects.create(
            key=ticket.key,
            rank=ticket.rank,
            call_id=ticket.call_id,
            attempt=ticket.attempt,
            holder=self.name,
            seconds=0.0 if ticket.batch else ticket.throttle.seconds,
            not_before=now + ticket.delay,
            lease_until=now + LEASE,
        )
        if not ticket.rank:
            ticket.rank = permit.rank = permit.pk
            permit.save(update_fields=["rank"])
        ticket.permit_id = permit.pk
        self._line.setdefault(ticket.key, []).append(ticket)
        self._live.add(ticket)

    def _end(self, ticket: Ticket) -> None:
        now = clock()
        counts = now + ticket.throttle.seconds if ticket.held and not ticket.batch else now
        Permit.objects.filter(pk=ticket.permit_id).update(state="ended", counts_until=counts)
        self._leave(ticket)

    def _leave(self, ticket: Ticket) -> None:
        self._live.discard(ticket)
        line = self._line.get(ticket.key, [])
        if ticket in line:
            line.remove(ticket)

    def _admit_all(self) -> list[Callable[[], None]]:
        after: list[Callable[[], None]] = []
        self._wake_in = RENEW if self._live else IDLE
        for key in [key for key, line in self._line.items() if line]:
            after += self._admit(key)
        self._line = {key: line for key, line in self._line.items() if line}
        return after

    def _admit(self, key: str) -> list[Callable[[], None]]:
        mine = {ticket.permit_id: ticket for ticket in self._line[key]}
        some = next(iter(mine.values()))
        now = clock()
        room = Room.of(key, some, now)
        in_line = Permit.objects.filter(key=key, state="waiting", lease_until__gt=now, not_before__lte=now)
        first = list(in_line.order_by("rank", "id").values_list("id", flat=True)[: max(room.free, 0)])
        after = [self._let_in(mine[pk], now) for pk in first if pk in mine]
        if len(first) >= room.free:  # else everybody whose time had come was let in, and no limit holds the rest
            after += self._turn_away(key, room)
        if self._line[key]:
            self._wake_in = min(self._wake_in, self._next_look(key, room, now))
        return after

    def _let_in(self, ticket: Ticket, now: float) -> Callable[[], None]:
        self._line[ticket.key].remove(ticket)
        if not ticket.admitted.set_running_or_notify_cancel():
            Permit.objects.filter(pk=ticket.permit_id).update(state="ended", counts_until=now)
            self._live.discard(ticket)
            return _nothing
        ticket.held = True
        self._let_in_now.append(ticket)
        Permit.objects.filter(pk=ticket.permit_id).update(state="held", lease_until=now + LEASE)
        if ticket.call_id:
            recorder.start_attempt(ticket.call_id, ticket.attempt, round(ticket.waited * 1000), ticket.cause)
        return partial(ticket.admitted.set_result, ticket)

    def _turn_away(self, key: str, room: Room) -> list[Callable[[], None]]:
        """Whoever's deadline has passed leaves with the name of the limit and the time to come back."""
        after: list[Callable[[], None]] = []
        for ticket in list(self._line[key]):
            if ticket.delay and ticket.waited <= 0:
                continue  # it rests before a retry; no limit holds it
            ticket.cause = room.limit
            if ticket.waited < ticket.patience:
                continue
            error = Rejected(room.words, room.free_in, ticket.waited)
            self._end(ticket)
            if ticket.call_id:
                recorder.finish_call(
                    ticket.call_id,
                    recorder.Ended(
                        "rejected", error_code=room.limit, error_message=error.sentence, help_code=error.help_code
                    ),
                )
            error.call_id = ticket.call_id
            after.append(partial(_fail, ticket.admitted, error))
        return after

    def _next_look(self, key: str, room: Room, now: float) -> float:
        soonest = min(max(ticket.patience - ticket.waited, 0.0) for ticket in self._line[key])
        resting = [ticket.delay - (time.monotonic() - ticket.queued_at) for ticket in self._line[key]]
        waits = [seconds for seconds in resting if seconds > 0]
        if len(waits) < len(self._line[key]):
            waits.append(room.free_in if room.limit == "window" else GLANCE)
        return max(min([soonest, *waits]), 0.005)

    def _renew(self) -> None:
        if time.monotonic() < self._renew_at or not self._live:
            return
        self._renew_at = time.monotonic() + RENEW
        ids = [ticket.permit_id for ticket in self._live]
        Permit.objects.filter(pk__in=ids).update(lease_until=clock() + LEASE)


@dataclass(frozen=True)
class Room:
    """What is free under a key at one moment, and which limit says so."""

    free: int
    limit: str
    words: str
    free_in: float

    @classmethod
    def of(cls, key: str, ticket: Ticket, now: float) -> Room:
        Permit.objects.filter(key=key, state="ended", counts_until__lte=now).delete()
        permits = Permit.objects.filter(key=key)
        held = permits.filter(state="held", lease_until__gt=now).count()
        slots = ticket.slots - held
        name = "concurrent batch executions" if ticket.batch else "concurrent connections"
        words = f"all {ticket.slots} {name} are in use" if ticket.slots > 1 else f"the one of the {name} is in use"
        if ticket.batch:
            return cls(slots, "batches", words, 1.0)
        orphans = Q(state="held", lease_until__lte=now, lease_until__gt=now - F("seconds"))
        counting = permits.filter(Q(state="ended") | orphans)
        places = ticket.throttle.limit - held - counting.count()
        if places > slots or (places == slots and slots > 0):
            return cls(slots, "connections", words, GLANCE)
        oldest = counting.aggregate(first=Min("counts_until"))["first"] or now + ticket.throttle.seconds
        limit = ticket.throttle.limit
        requests = f"all {limit} requests" if limit > 1 else "the one request"
        window = f"{requests} in {ticket.throttle.seconds:g} s {'are' if limit > 1 else 'is'} used up"
        return cls(places, "window", window, max(oldest - now, 0.005))


def _nothing() -> None:
    pass


def _settle(future: Future[Any]) -> None:
    if not future.done() and future.set_running_or_notify_cancel():
        future.set_result(None)


def _fail(future: Future[Any], error: BaseException) -> None:
    if not future.done() and (future.running() or future.set_running_or_notify_cancel()):
        future.set_exception(error)


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
