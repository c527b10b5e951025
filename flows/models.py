"""Hub records with their history, flows that start pushes, runs and the items in them."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Count, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from connections.models import Installation
from flows.states import FLOW_STATES, ITEM_STATES, RUN_FINAL, RUN_STATES
from jobs.tokens import LENGTH as TOKEN_LENGTH
from mappings.choices import RESPONSE
from mappings.models import Mapping, MappingVersion
from operations.models import Preset, PresetVersion
from operations.outgoing import operation_of
from ui.states import State, choices

# A holder that has not renewed its lease for so long is taken for dead (seconds).
LEASE = 10
# A task that was queued so long ago and never began is queued once more (seconds).
REQUEUE = 20


def digest_of(fields: dict[str, Any], custom: dict[str, Any]) -> str:
    """SHA-256 of a record's contents; equal contents have equal digests whatever the order of the names."""
    plain = json.dumps([fields, custom], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(plain.encode()).hexdigest()


class Entity(models.Model):
    """A kind of record. `fields` and `custom_fields` are `[{"name", "label", "long"}]`, in the order of the form."""

    name = models.CharField(max_length=60, unique=True)
    key_field = models.CharField(max_length=60, default="id")
    title_field = models.CharField(max_length=60, default="name")
    fields = models.JSONField(default=list)
    custom_fields = models.JSONField(default=list)
    order = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["order", "name"]

    def __str__(self) -> str:
        return self.name


class RecordQuerySet(models.QuerySet["Record"]):
    def of(self, entity: str) -> Self:
        return self.filter(entity__name=entity)

    def search(self, text: str) -> Self:
        return self.filter(Q(key__icontains=text) | Q(title__icontains=text)) if text else self


class Record(models.Model):
    """One business record. Written only by `flows.records.save_record`; `sample` marks the ones that came with Patchbay."""

    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="records")
    key = models.CharField(max_length=200)
    title = models.CharField(max_length=300, blank=True)
    fields = models.JSONField(default=dict)
    custom = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    digest = models.CharField(max_length=64)
    sample = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    objects = RecordQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entity", "key"], name="record_once")]
        indexes = [models.Index(fields=["entity", "-changed_at", "-id"], name="record_entity_time")]

    def __str__(self) -> str:
        return f"{self.key} {self.title}".strip()

    def get_absolute_url(self) -> str:
        return reverse("records:detail", args=[self.pk])


class RecordChange(models.Model):
    """What one write changed: `before` and `after` hold `fields.<name>` and `custom.<name>` of what differs, nothing else.

    No foreign keys: history outlives the record. `cause` is `edit`, `sample`, `answer`, `pull`, `event`, `check`, ...
    `made_by` names the versions of mappings that made it: `[[id, name]]`, the id being None for the oldest ones.
    """

    record_id = models.BigIntegerField()
    entity = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    cause = models.CharField(max_length=40)
    cause_id = models.CharField(max_length=60, blank=True)
    call_id = models.UUIDField(null=True)
    made_by = models.JSONField(default=list)
    actor = models.CharField(max_length=150, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["record_id", "-at", "-id"], name="change_record_time"),
            models.Index(fields=["cause", "cause_id"], name="change_cause"),
        ]

    def __str__(self) -> str:
        return f"{self.entity} {self.key} changed by {self.cause}"

    @property
    def lines(self) -> list[tuple[str, Any, Any]]:
        """(name, before, after) of each thing that changed."""
        return [(name, self.before.get(name), value) for name, value in self.after.items()]


class FlowQuerySet(models.QuerySet["Flow"]):
    def with_last_run(self) -> Self:
        """Each flow with its newest run in `last_runs`, by installation; and with `records`, how many it would push."""
        newest = Run.objects.filter(flow=OuterRef("flow")).order_by("-created_at", "-pk").values("pk")[:1]
        runs = Prefetch("runs", Run.objects.filter(pk=Subquery(newest)), to_attr="last_runs")
        counts = Record.objects.filter(entity__name=OuterRef("mapping__entity")).order_by().values("entity")
        found = self.annotate(records=Coalesce(Subquery(counts.annotate(n=Count("pk")).values("n")), 0))
        return found.prefetch_related(runs).order_by("installation__name", "mapping__entity", "name", "pk")


class Flow(models.Model):
    """A mapping that is put to work. `on_change` flows push a record as soon as a person or a system changed it.

    With a preset, the mapping says which records are sent, and the preset what is asked for each.
    """

    TRIGGERS = [("manual", "By hand"), ("on_change", "When a record changes")]

    installation = models.ForeignKey(Installation, on_delete=models.CASCADE, related_name="flows")
    mapping = models.ForeignKey(Mapping, on_delete=models.RESTRICT, related_name="flows")
    preset = models.ForeignKey(Preset, on_delete=models.RESTRICT, null=True, related_name="flows")
    name = models.CharField(max_length=200)
    trigger = models.CharField(max_length=12, choices=TRIGGERS, default="manual")
    active = models.BooleanField(default=True)
    sample_only = models.BooleanField(default=False)

    objects = FlowQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def state_info(self) -> State:
        """A flow that is on does nothing while its mapping is off."""
        return FLOW_STATES["off" if not self.active else "on" if self.mapping.active else "mapping_off"]


class RunQuerySet(models.QuerySet["Run"]):
    def open(self) -> Self:
        return self.exclude(state__in=RUN_FINAL)

    def unled(self) -> Self:
        """Runs that no living worker holds."""
        return self.filter(Q(lease_until=None) | Q(lease_until__lt=timezone.now()))

    def due(self) -> Self:
        """Open runs with work left that nobody holds and that no fresh task waits for."""
        now = timezone.now()
        todo = Q(kind="pull") | Q(items__state__in=["pending", "working"])
        todo |= Q(items__state="waiting", items__poll_at__lte=now)
        fresh = Q(enqueued_at__gt=now - timedelta(seconds=REQUEUE))
        return self.open().unled().filter(todo | Q(state="queued")).exclude(fresh).distinct()


class Run(models.Model):
    """One push of records, or one pull. Its counts follow its items; who holds its lease works on it, nobody else.

    A push keeps to what its mappings said when it was started: `version` makes its requests, `answers` (ids of versions, in
    their order) take up what comes of them.
    """

    KINDS = [("push", "Push"), ("pull", "Pull")]
    MODES = [("sync", "Wait for each answer"), ("background", "In the background")]

    kind = models.CharField(max_length=4, choices=KINDS)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="runs")
    flow = models.ForeignKey(Flow, on_delete=models.SET_NULL, null=True, related_name="runs")
    mapping = models.ForeignKey(Mapping, on_delete=models.SET_NULL, null=True, related_name="runs")
    mapping_name = models.CharField(max_length=200, blank=True)
    mapping_version = models.PositiveIntegerField(null=True)
    version = models.ForeignKey(MappingVersion, on_delete=models.PROTECT, null=True, related_name="+")
    answers = models.JSONField(default=list)
    preset = models.ForeignKey(PresetVersion, on_delete=models.PROTECT, null=True, related_name="+")
    entity = models.CharField(max_length=60)
    source = models.CharField(max_length=20, blank=True)
    mode = models.CharField(max_length=12, choices=MODES, default="sync")
    repeat_unknown = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=choices(RUN_STATES), default="queued")
    note = models.TextField(blank=True)
    help_code = models.CharField(max_length=12, blank=True)

    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)

    actor = models.CharField(max_length=150, blank=True)
    correlation_id = models.CharField(max_length=40)
    cancelled = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    enqueued_at = models.DateTimeField(null=True)
    lease_token = models.CharField(max_length=TOKEN_LENGTH, blank=True)
    lease_until = models.DateTimeField(null=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="run_time"),
            models.Index(fields=["installation", "-created_at", "-id"], name="run_installation_time"),
            models.Index(fields=["state"], name="run_state"),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("runs:detail", args=[self.pk])

    @property
    def title(self) -> str:
        return f"{self.get_kind_display()} of {self.entity} records"

    @property
    def state_info(self) -> State:
        return RUN_STATES[self.state]

    @property
    def is_open(self) -> bool:
        return self.state not in RUN_FINAL

    @property
    def operation(self) -> str:
        """What is asked of OpenAI for each record of a push."""
        if self.preset:
            return operation_of(self.preset.request)
        return str(self.version.said["operation"]) if self.version else RESPONSE

    @property
    def settled(self) -> int:
        return self.done + self.failed + self.skipped + self.unknown


class ItemQuerySet(models.QuerySet["Item"]):
    def counts(self) -> dict[str, int]:
        """State → how many."""
        return dict(self.order_by().values_list("state").annotate(Count("pk")))

    def sent(self, installation: Installation, record: Record) -> Self:
        """What has sent this record to OpenAI through this installation, or may have."""
        return self.filter(run__installation=installation, record=record, state__in=["done", "waiting", "unknown"])

    def abandoned(self) -> Self:
        """Items whose worker stopped renewing its lease while it worked on them."""
        return self.filter(state="working", lease_until__lt=timezone.now())


class Item(models.Model):
    """One record in a run. `lease_token` is new with each claim: a result is written only by who still holds it.

    `settled_calls` are the log ids of calls whose outcome has been dealt with; any other call that was made for this
    item, but to ask for its response, was left behind by a worker that died (see `flows.recovery`).

    `masks` are undone in the answer; `unlogged` are values that the log must not hold (see `mappings.protection`).
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="items")
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="items")
    state = models.CharField(max_length=12, choices=choices(ITEM_STATES), default="pending")
    correlation_id = models.CharField(max_length=40)
    attempts = models.PositiveIntegerField(default=0)
    request = models.JSONField(default=dict)
    masks = models.JSONField(default=dict, blank=True)
    unlogged = models.JSONField(default=list, blank=True)
    call_id = models.UUIDField(null=True)
    settled_calls = models.JSONField(default=list)
    response_id = models.CharField(max_length=120, blank=True)
    polls = models.PositiveIntegerField(default=0)
    poll_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    help_code = models.CharField(max_length=12, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_token = models.CharField(max_length=TOKEN_LENGTH, blank=True)
    lease_until = models.DateTimeField(null=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["run", "state"], name="item_run_state"),
            models.Index(fields=["run", "-created_at", "-id"], name="item_run_time"),
            models.Index(fields=["response_id"], name="item_response"),
        ]

    def __str__(self) -> str:
        return f"item {self.pk} of run {self.run_id}"

    @property
    def state_info(self) -> State:
        return ITEM_STATES[self.state]

    @property
    def duration_ms(self) -> float | None:
        if not self.started_at or not self.finished_at:
            return None
        return (self.finished_at - self.started_at).total_seconds() * 1000

    @property
    def written(self) -> str:
        """The names of what the answer changed, for one line of a table."""
        return ", ".join(name.partition(".")[2] for name in self.after)
