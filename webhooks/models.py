"""Events as they came, and a bounded count of what was refused. Names stand beside ids: history outlives its objects."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from logs.context import new_correlation
from openai_api.reading import parse
from ui.states import State, choices
from webhooks.refusals import REASONS
from webhooks.states import EVENT_STATES

LEASE = timedelta(seconds=90)
OPEN = ("received", "retrying")


class EventQuerySet(models.QuerySet["Event"]):
    def claim(self, event_id: int) -> Event | None:
        """The event under a fresh lease, or None where someone else holds it or nothing is left to do."""
        now, token = timezone.now(), uuid.uuid4().hex
        won = self.filter(Q(state__in=OPEN) | Q(state="processing", lease_until__lt=now), pk=event_id).update(
            state="processing", lease_token=token, lease_until=now + LEASE, attempts=F("attempts") + 1
        )
        return self.get(pk=event_id) if won == 1 else None

    def search(self, text: str) -> EventQuerySet:
        return self.filter(
            Q(webhook_id__icontains=text)
            | Q(object_id__icontains=text)
            | Q(event_type__icontains=text)
            | Q(correlation_id=text)
        )

    def due(self) -> EventQuerySet:
        """Events that nobody works on though their time has come: a task was lost, or its worker died."""
        now = timezone.now()
        return self.filter(
            Q(state="received", received_at__lt=now - timedelta(seconds=10))
            | Q(state="retrying", next_at__lte=now)
            | Q(state="processing", lease_until__lt=now)
        )


class Event(models.Model):
    """One event that OpenAI sent. Stored before it was answered; processed once, by whoever holds the lease.

    `webhook_id` is the sender's id of the delivery and the key against duplicates; `payload` is the body as it came.
    `outcome` says in a sentence what came of it.
    """

    installation_id = models.BigIntegerField()
    installation_name = models.CharField(max_length=200)
    entity = models.CharField(max_length=80)
    webhook_id = models.CharField(max_length=200)
    event_type = models.CharField(max_length=120)
    object_id = models.CharField(max_length=200, blank=True)
    received_at = models.DateTimeField(default=timezone.now)
    signed = models.BooleanField(default=False)
    payload = models.TextField()

    state = models.CharField(max_length=12, choices=choices(EVENT_STATES), default="received")
    attempts = models.PositiveIntegerField(default=0)
    deliveries = models.PositiveIntegerField(default=1)
    next_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)

    outcome = models.CharField(max_length=300, blank=True)
    error = models.TextField(blank=True)
    help_code = models.CharField(max_length=12, blank=True)
    message_record_id = models.BigIntegerField(null=True)
    item_id = models.BigIntegerField(null=True)
    run_id = models.BigIntegerField(null=True)
    correlation_id = models.CharField(max_length=40, default=new_correlation)
    call_ids = models.JSONField(default=list)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["installation_id", "webhook_id"], name="event_once")]
        indexes = [
            models.Index(fields=["-received_at", "-id"], name="event_time"),
            models.Index(fields=["installation_id", "-received_at", "-id"], name="event_installation_time"),
            models.Index(fields=["state", "next_at"], name="event_state"),
            models.Index(fields=["object_id"], name="event_object"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.webhook_id}"

    @property
    def state_info(self) -> State:
        return EVENT_STATES[self.state]

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = parse(self.payload.encode())
        return body

    def finish(self, state: str, **fields: Any) -> bool:
        """Write the end of this attempt, if the lease is still ours; say whether it was."""
        ended = {"finished_at": timezone.now()} if EVENT_STATES[state].final else {}
        return (
            Event.objects.filter(pk=self.pk, lease_token=self.lease_token, state="processing").update(
                state=state, lease_token="", lease_until=None, **ended, **fields
            )
            == 1
        )

    def put_back(self) -> None:
        """Process once more from the start, as if it had just come."""
        Event.objects.filter(pk=self.pk).update(
            state="received", attempts=0, next_at=None, lease_token="", lease_until=None, error="", help_code=""
        )


class RefusalQuerySet(models.QuerySet["Refusal"]):
    def count_one(self, reason: str, installation_id: int, installation_name: str, address: str) -> None:
        """Add one to this minute's row of the reason, however many come: junk cannot fill the table."""
        row, made = self.get_or_create(
            minute=timezone.now().replace(second=0, microsecond=0),
            installation_id=installation_id,
            reason=reason,
            defaults={"installation_name": installation_name, "address": address[:60]},
        )
        if not made:
            self.filter(pk=row.pk).update(count=F("count") + 1, address=address[:60])

    def since(self, moment: datetime) -> RefusalQuerySet:
        return self.filter(minute__gte=moment).order_by("-minute", "-id")


class Refusal(models.Model):
    """How often deliveries were refused for one reason in one minute; `installation_id` 0 where the key was unknown."""

    minute = models.DateTimeField()
    installation_id = models.BigIntegerField(default=0)
    installation_name = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=30)
    count = models.PositiveIntegerField(default=1)
    address = models.CharField(max_length=60, blank=True)

    objects = RefusalQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["minute", "installation_id", "reason"], name="refusal_a_minute")]

    def __str__(self) -> str:
        return f"{self.count} × {self.reason} at {self.minute:%Y-%m-%d %H:%M}"

    @property
    def label(self) -> str:
        return REASONS[self.reason].label

    @property
    def sentence(self) -> str:
        return REASONS[self.reason].sentence

    @property
    def help_code(self) -> str:
        return REASONS[self.reason].help_code
