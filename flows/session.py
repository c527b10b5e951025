"""What the steps of one execution of a run share."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from flows.leases import Lease
from flows.models import Item, Run
from jobs.lease import somebody_waits
from logs.context import Context
from mappings.apply import MappingSpec
from openai_api.client import Client
from openai_api.errors import ConnectionStopped
from operations.asking import Asked

LOOK_EVERY = 0.5
# So long a run may keep its worker while other tasks wait for one (seconds): webhooks want to be dealt with too.
TURN = 10.0


@dataclass
class Session:
    """One execution: the run, the hold on it, the client that it sends with, the mapping as it was when the run was started,
    and the preset that is sent in place of what the mapping makes, if the flow has one.

    `refused` is set once the connection is stopped: what is left of the run would be refused one by one.
    """

    run: Run
    lease: Lease
    client: Client
    spec: MappingSpec | None
    preset: Asked | None = None
    gave_way: bool = False
    refused: ConnectionStopped | None = None
    _began: float = field(default_factory=time.monotonic)
    _looked: float = 0.0
    _cancelled: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stopped(self) -> bool:
        """True once the run was cancelled or refused, its lease is lost or its turn is over; then it `gave_way` to other tasks.

        The database is asked twice a second, not per item.
        """
        with self._lock:
            if not self._cancelled and not self.gave_way and time.monotonic() - self._looked > LOOK_EVERY:
                self._looked = time.monotonic()
                self._cancelled = Run.objects.filter(pk=self.run.pk, cancelled=True).exists()
                self.gave_way = self._looked - self._began > TURN and somebody_waits()
        return self._cancelled or self.gave_way or self.refused is not None or self.lease.lost.is_set()

    def context(self, item: Item) -> Context:
        """The origin of every call that is made for this item; it names the versions of mapping and preset that make it."""
        preset, version = self.run.preset, self.run.version
        label = f"Run {self.run.pk}, {item.record.entity.name} {item.record.key}"
        return Context(
            "run item",
            str(item.pk),
            f"{label}: {preset}" if preset else label,
            actor=self.run.actor,
            correlation_id=item.correlation_id,
            tags=", ".join(each.tag for each in (version, preset) if each),
        )
