"""What became of calls of unknown outcome. The call's own row in the log keeps its state; what OpenAI counted is added to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from logs.models import Call
from outcomes.states import DECISIONS
from ui.states import State

# These have a place of their own: a run shows its records for decision, and a test of a connection is simply made again.
ELSEWHERE = ("run item", "connection test")
# OpenAI is asked after so many seconds, then after twice as long each time, and no longer than a day.
FIRST_LOOK, LONGEST_PAUSE = 10.0, 1800.0


class SettlementQuerySet(models.QuerySet["Settlement"]):
    def claim_look(self, call: Call) -> Settlement | None:
        """The settlement of this call if OpenAI may be asked now; of several processes one gets it."""
        now = timezone.now()
        row, _ = self.get_or_create(call_id=call.pk, defaults={"look_at": call.finished_at or now})
        pause = timedelta(seconds=min(FIRST_LOOK * 2.0 ** min(row.looks, 10), LONGEST_PAUSE))
        mine = self.filter(pk=row.pk, decision="", look_at__lte=now, looks=row.looks)
        if not mine.update(looks=row.looks + 1, look_at=now + pause):
            return None
        row.looks += 1
        return row


class Settlement(models.Model):
    """One call of unknown outcome. `decision` is empty while it is open, `by` is a person or Patchbay, and `note` says what
    is known in a sentence. OpenAI is asked when `look_at` has come, and not at all where that is null.

    `sent_at` is set before a call is sent again, so that no worker sends it a second time.
    """

    call_id = models.UUIDField(unique=True)
    decision = models.CharField(max_length=10, blank=True)
    by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)
    looks = models.PositiveIntegerField(default=0)
    look_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    objects = SettlementQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.decision or 'open'}: call {self.call_id}"

    @property
    def state_info(self) -> State:
        return DECISIONS[self.decision]


def unknown_calls(settled: bool = False) -> models.QuerySet[Call]:
    """Calls of unknown outcome that are to be decided here, or were; newest first."""
    decided = Settlement.objects.filter(call_id=models.OuterRef("pk")).exclude(decision="")
    found = Call.objects.filter(state="unknown").exclude(cause__in=ELSEWHERE)
    return found.filter(models.Exists(decided) if settled else ~models.Exists(decided)).order_by("-created_at", "-id")


def settlements_of(calls: Iterable[Call]) -> dict[Any, Settlement]:
    """Call id → its settlement, for those that have one."""
    return {row.call_id: row for row in Settlement.objects.filter(call_id__in=[call.pk for call in calls])}
