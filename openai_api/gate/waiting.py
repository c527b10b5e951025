"""Between the gate and its callers, in an event loop or in a thread: what they say, and what they wait for.

Callers of one loop are heard together, and a turn that serves many of them wakes that loop once.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")
# A loop that has gone round so often without more to say is about to wait for the network.
ROUNDS = 2
Letter = tuple["asyncio.Future[Any]", "Reply[Any]"]


class _Post(threading.local):
    """What this thread has to tell, while it collects; None while it does not."""

    letters: list[tuple[asyncio.AbstractEventLoop, Letter]] | None = None


_post = _Post()


class Reply(Generic[T]):
    """What somebody waits for and the gate's thread gives, once. `concurrent.futures.Future` cost a call as much as its turn.

    Until the gate claims it, whoever waits may cancel it; once claimed it will be given or failed. One waits for it.
    """

    __slots__ = ("_cancelled", "_claimed", "_done", "_error", "_right", "_value", "_waiter")

    def __init__(self) -> None:
        # Of a cancel and a claim at the same moment one takes the only item: a list's pop is one step for every thread.
        self._right = [None]
        self._claimed = self._cancelled = self._done = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Future[T]] | threading.Event | None = None

    def cancel(self) -> bool:
        """Nobody waits any more. False where the gate was faster."""
        if not self._take():
            return self._cancelled
        self._cancelled = True
        self._settle()
        return True

    def claim(self) -> bool:
        """From now on it can't be cancelled. False if it was."""
        if self._claimed or self._take():
            self._claimed = True
        return self._claimed

    def give(self, value: T) -> None:
        if self.claim() and not self._done:
            self._value = value
            self._settle()

    def fail(self, error: BaseException) -> None:
        if self.claim() and not self._done:
            self._error = error
            self._settle()

    def done(self) -> bool:
        return self._done

    def cancelled(self) -> bool:
        return self._cancelled

    def exception(self) -> BaseException | None:
        return self._error

    def result(self, timeout: float | None = None) -> T:
        """Wait in this thread. Raises what the gate says, CancelledError, or TimeoutError after `timeout` seconds."""
        if not self._done:
            self._waiter = event = threading.Event()
            # It may have been given before this waiter could be told.
            if not self.done() and not event.wait(timeout):
                raise TimeoutError
        if self._cancelled:
            raise CancelledError
        if self._error is not None:
            raise self._error
        return cast(T, self._value)

    def awaited(self) -> asyncio.Future[T]:
        """A future of the running loop for it. Cancelling that future leaves this reply as it is."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[T] = loop.create_future()
        self._waiter = loop, mine
        if self._done:
            _open([(mine, self)])
        return mine

    def _take(self) -> bool:
        try:
            self._right.pop()
        except IndexError:
            return False
        return True

    def _settle(self) -> None:
        # Done first, told then: whoever begins to wait in between looks whether it is done after saying that it waits.
        self._done = True
        waiter = self._waiter
        if isinstance(waiter, threading.Event):
            waiter.set()
        elif waiter is not None:
            loop, mine = waiter
            if _post.letters is None:
                _deliver(loop, [(mine, self)])
            else:
                _post.letters.append((loop, (mine, self)))


class Outbox(threading.local, Generic[T]):
    """What is said in an event loop, handed over together once the loop has gone round `ROUNDS` times without more of it.

    A thread that begins while the loop is busy takes the interpreter's one lock from it again and again: a crowd of 16 was
    served at two thirds of the rate (`tests/bench`). What is said outside a loop is handed over at once. One for each thread.
    """

    def __init__(self, hand_over: Callable[[list[T]], None], most: int) -> None:
        self._hand_over, self._most = hand_over, most
        self._items: list[T] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def put(self, item: T) -> None:
        self._items.append(item)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        if self._loop is not loop:
            self._loop = loop
            loop.call_soon(self._go_round, len(self._items), ROUNDS)

    def flush(self) -> None:
        items, self._items, self._loop = self._items, [], None
        if items:
            self._hand_over(items)

    def _go_round(self, seen: int, rounds: int) -> None:
        more = len(self._items) > seen
        if self._loop is not None and len(self._items) < self._most and (more or rounds > 1):
            self._loop.call_soon(self._go_round, len(self._items), ROUNDS if more else rounds - 1)
        else:
            self.flush()


@contextlib.contextmanager
def together() -> Iterator[None]:
    """What this thread settles inside is told to each loop at once, at the end."""
    _post.letters = []
    try:
        yield
    finally:
        letters, _post.letters = _post.letters, None
        by_loop: dict[asyncio.AbstractEventLoop, list[Letter]] = defaultdict(list)
        for loop, letter in letters:
            by_loop[loop].append(letter)
        for loop, some in by_loop.items():
            _deliver(loop, some)


def _deliver(loop: asyncio.AbstractEventLoop, letters: list[Letter]) -> None:
    # A loop that is closed has nobody left to tell.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_open, letters)


def _open(letters: list[Letter]) -> None:
    for mine, reply in letters:
        if mine.done():
            continue
        if reply.cancelled():
            mine.cancel()
        elif (error := reply.exception()) is not None:
            mine.set_exception(error)
        else:
            mine.set_result(reply.result())
