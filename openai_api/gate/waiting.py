"""Waiting for the gate in an event loop. A turn that serves many callers of one loop wakes that loop once, not once for each."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
Letter = tuple["asyncio.Future[Any]", "Future[Any]"]


class _Post(threading.local):
    """What this thread has to tell, while it collects; None while it does not."""

    letters: list[tuple[asyncio.AbstractEventLoop, Letter]] | None = None


_post = _Post()


def awaitable(future: Future[T]) -> asyncio.Future[T]:
    """A future of the running loop for one that the gate's thread settles. Cancelling one cancels the other."""
    loop = asyncio.get_running_loop()
    mine: asyncio.Future[T] = loop.create_future()

    def tell(done: Future[T]) -> None:
        if _post.letters is None:
            _deliver(loop, [(mine, done)])
        else:
            _post.letters.append((loop, (mine, done)))

    def give_up(_: asyncio.Future[T]) -> None:
        if mine.cancelled():
            future.cancel()

    future.add_done_callback(tell)
    mine.add_done_callback(give_up)
    return mine


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
    for mine, done in letters:
        if mine.done():
            continue
        if done.cancelled():
            mine.cancel()
        elif (error := done.exception()) is not None:
            mine.set_exception(error)
        else:
            mine.set_result(done.result())
