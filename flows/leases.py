"""Who works on a run: one holder at a time, kept by renewing, lost by falling silent."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from flows.models import LEASE, Item, Run
from jobs.tokens import held_by, new_token

RENEW = 3.0
log = logging.getLogger(__name__)


def lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=LEASE)


def give_back(name: str) -> None:
    """End the leases of runs and items that an earlier process of this name held."""
    now = timezone.now()
    Run.objects.filter(held_by(name)).update(lease_until=now)
    Item.objects.filter(held_by(name), state="working").update(lease_until=now)


class Lease:
    """The hold on a run and on those of its items that this process works on. `lost` is set once somebody else has it."""

    def __init__(self, run_id: int, token: str) -> None:
        self.run_id, self.token = run_id, token
        self.lost = threading.Event()
        self._items: set[str] = set()
        self._over = threading.Event()
        self._lock = threading.Lock()

    def add(self, item_token: str) -> None:
        with self._lock:
            self._items.add(item_token)

    def drop(self, item_token: str) -> None:
        with self._lock:
            self._items.discard(item_token)

    def renew(self) -> None:
        with self._lock:
            tokens = list(self._items)
        held = Run.objects.filter(pk=self.run_id, lease_token=self.token).update(lease_until=lease_end())
        if not held:
            self.lost.set()
        elif tokens:
            Item.objects.filter(run_id=self.run_id, lease_token__in=tokens).update(lease_until=lease_end())

    def keep(self) -> None:
        """Renew until the work is over. A database that is busy for a moment is asked again before the lease ends."""
        try:
            while not self._over.wait(RENEW) and not self.lost.is_set():
                try:
                    self.renew()
                except DatabaseError:
                    log.warning("The lease of run %s could not be renewed just now.", self.run_id)
        finally:
            connection.close()

    def end(self) -> None:
        self._over.set()


@contextmanager
def hold(run_id: int) -> Iterator[Lease | None]:
    """The lease of an open run that nobody else holds, renewed in a thread of its own; else None."""
    token = new_token()
    free = Run.objects.open().unled().filter(pk=run_id)
    if not free.update(lease_token=token, lease_until=lease_end(), enqueued_at=None):
        yield None
        return
    lease = Lease(run_id, token)
    keeper = threading.Thread(target=lease.keep, name=f"lease of run {run_id}", daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        lease.end()
        keeper.join()
        Run.objects.filter(pk=run_id, lease_token=token).update(lease_token="", lease_until=None)
