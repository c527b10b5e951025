"""A lease that is kept while work is done: renewed in a thread of its own, for a call may take longer than the lease."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection

log = logging.getLogger(__name__)


@contextmanager
def renewed(keep: Callable[[], bool], every: float, name: str) -> Iterator[threading.Event]:
    """Calls `keep` every so many seconds. The event is set once it says that somebody else has the lease.

    A database that is busy for a moment is asked again.
    """
    over, lost = threading.Event(), threading.Event()

    def renew() -> None:
        try:
            while not over.wait(every) and not lost.is_set():
                try:
                    if not keep():
                        lost.set()
                except DatabaseError:
                    log.warning("The lease of %s could not be renewed just now.", name)
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name=name, daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        over.set()
        thread.join()
