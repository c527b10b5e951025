"""What came of the requests that people send, kept for a while; and presets: filled forms that are kept under a name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from connections.models import Installation
from jobs.tokens import LENGTH as TOKEN_LENGTH
from jobs.tokens import new_token
from logs.context import new_correlation
from logs.ids import uuid7
from logs.models import Call
from openai_api.catalogue import OPERATIONS, Operation
from operations.asking import Asked
from operations.states import ANSWER_STATES, LISTING_STATES
from ui.states import State, choices, final
from versions.models import Version

KEPT_FOR = timedelta(hours=24)
# Renewed every few seconds while a list is read. A holder that was silent for so long is taken for dead.
LEASE = timedelta(seconds=15)
STOPPED = "Stopped before its end. What had come until then is kept; OpenAI may charge for it."


class Answer(models.Model):
    """One request and its answer. The answer's body is a file of VAR_DIR (see `operations.keeping`), the call is in the log.

    `asked` is `Asked.to_json()`, `headers` are the answer's, `size` is that of its body in bytes, `whole` whether that came to
    its end. `error` is a sentence, `shown` what a page shows of the body (`operations.showing.Shown`), `debug` the request as
    it was sent, if that was asked for.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    installation = models.ForeignKey(Installation, models.CASCADE, related_name="+")
    actor = models.CharField(max_length=150)
    state = models.CharField(max_length=12, default="sending", choices=choices(ANSWER_STATES))
    asked = models.JSONField(default=dict)
    call_id = models.UUIDField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    size = models.PositiveBigIntegerField(default=0)
    whole = models.BooleanField(default=False)
    shown = models.JSONField(default=dict)
    debug = models.TextField(blank=True)
    error = models.TextField(blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    help_code = models.CharField(max_length=12, blank=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="answer_time")]

    def __str__(self) -> str:
        return f"answer {self.pk}"

    @property
    def state_info(self) -> State:
        return ANSWER_STATES[self.state]

    @property
    def request(self) -> Asked:
        given: dict[str, Any] = self.asked
        return Asked.from_json(given)

    @property
    def content_type(self) -> str:
        return str(self.headers.get("content-type", ""))

    def end_as(self, call: Call) -> None:
        """Take over how the call ended, as the log has it."""
        self.state = {"done": "done", "cancelled": "cancelled"}.get(call.state, "failed")
        self.status, self.finished_at = call.http_status, call.finished_at or timezone.now()
        self.error, self.error_code, self.help_code = call.error_message, call.error_code, call.help_code
        if call.state == "cancelled" and call.http_status:
            self.error = STOPPED
        self.save()

    def end_without_call(self, error: str, code: str = "", help_code: str = "") -> None:
        """Nothing was sent, and the log has nothing to say about it."""
        self.state, self.finished_at = "failed", timezone.now()
        self.error, self.error_code, self.help_code = error, code, help_code
        self.save()


class ListingQuerySet(models.QuerySet["Listing"]):
    def open(self) -> ListingQuerySet:
        return self.exclude(state__in=final(LISTING_STATES))

    def claim(self, pk: UUID) -> Listing | None:
        """The list under a fresh lease, or None where another process reads it or it has ended."""
        now, token = timezone.now(), new_token()
        free = Q(state="queued") | Q(state="reading", lease_until__lt=now)
        won = self.filter(free, pk=pk).update(
            state="reading", lease_token=token, lease_until=now + LEASE, started_at=Coalesce("started_at", now)
        )
        return self.select_related("installation__connection").get(pk=pk) if won else None


class Listing(models.Model):
    """A list of OpenAI's that is read page by page. Its items are in files (see `operations.lists.items`), its calls in the log.

    `asked` is the request for the first page, `cursor` what the next page is asked for with, `seen` every cursor so far.
    `items`, `pages` and `size` (bytes) count what is kept; `more` says whether OpenAI has more. `note` says why it ended.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    installation = models.ForeignKey(Installation, models.CASCADE, related_name="+")
    actor = models.CharField(max_length=150)
    state = models.CharField(max_length=12, default="queued", choices=choices(LISTING_STATES))
    asked = models.JSONField(default=dict)
    parameter = models.CharField(max_length=12)
    most_items = models.PositiveIntegerField()
    most_pages = models.PositiveIntegerField()
    items = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    cursor = models.TextField(blank=True)
    seen = models.JSONField(default=list)
    more = models.BooleanField(default=True)
    note = models.TextField(blank=True)
    help_code = models.CharField(max_length=12, blank=True)
    correlation_id = models.CharField(max_length=40, default=new_correlation)
    lease_token = models.CharField(max_length=TOKEN_LENGTH, blank=True)
    lease_until = models.DateTimeField(null=True)

    objects = ListingQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="listing_time")]

    def __str__(self) -> str:
        return f"list {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("operations:whole_list", args=[self.pk])

    @property
    def state_info(self) -> State:
        return LISTING_STATES[self.state]

    @property
    def request(self) -> Asked:
        given: dict[str, Any] = self.asked
        return Asked.from_json(given)

    @property
    def log_url(self) -> str:
        return f"{reverse('logs:list')}?correlation={self.correlation_id}"

    def keep(self) -> bool:
        """Renew the lease; False when it was stopped or somebody else has taken over."""
        return self.change(lease_until=timezone.now() + LEASE)

    def change(self, **values: Any) -> bool:
        """Write to the row as the holder of its lease; False, and nothing written, for who holds it no longer."""
        mine = Listing.objects.filter(pk=self.pk, lease_token=self.lease_token, state="reading")
        if not mine.update(**values):
            return False
        for name, value in values.items():
            setattr(self, name, value)
        return True

    def end(self, state: str, note: str, help_code: str = "", **values: Any) -> bool:
        """The end of the work, as `change` writes it."""
        return self.change(
            state=state,
            note=note,
            help_code=help_code,
            finished_at=timezone.now(),
            lease_token="",
            lease_until=None,
            **values,
        )


def said(asked: Mapping[str, Any]) -> Any:
    """What `Asked.to_json()` says of a request, as it is once stored, but for what made it and the sizes of its files."""
    files = [(part["field"], part["name"]) for part in asked["files"]]
    return json.loads(json.dumps({**asked, "files": files, "preset": ""}))


class PresetQuerySet(models.QuerySet["Preset"]):
    def with_last_call(self) -> list[Preset]:
        """By installation and name; each with the newest call that it made, as `last_call` (None where the log has none)."""
        found = list(self.select_related("installation").order_by("installation__name", "name", "pk"))
        calls = Call.objects.in_bulk([preset.last_call_id for preset in found if preset.last_call_id])
        number = Preset.objects.filter(pk=OuterRef("preset_id")).values("version")
        newest = PresetVersion.objects.filter(preset_id__in=[preset.pk for preset in found], number=Subquery(number))
        versions = {version.preset_id: version for version in newest}
        for preset in found:
            preset.last_call = calls.get(preset.last_call_id) if preset.last_call_id else None
            preset.newest = versions[preset.pk]
        return found


class Preset(models.Model):
    """A filled form under a name. What it says stands in its versions, of which the newest (`version`) counts."""

    installation = models.ForeignKey(Installation, models.CASCADE, related_name="presets")
    name = models.CharField(max_length=120)
    version = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(default=timezone.now)
    last_call_id = models.UUIDField(null=True)

    objects = PresetQuerySet.as_manager()
    last_call: Call | None
    newest: PresetVersion

    class Meta:
        constraints = [models.UniqueConstraint(fields=["installation", "name"], name="preset_name_once")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("operations:preset", args=[self.pk])

    def current(self) -> PresetVersion:
        return PresetVersion.objects.get(preset_id=self.pk, number=self.version)


class PresetVersion(Version):
    """What a preset said when it was saved. `asked` is `Asked.to_json()`, from which forms can be filled again."""

    preset_id = models.BigIntegerField()
    preset_name = models.CharField(max_length=120)
    asked = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["preset_id", "number"], name="preset_version_once")]

    def __str__(self) -> str:
        return f"{self.preset_name}, version {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("operations:preset_version", args=[self.pk])

    @property
    def request(self) -> Asked:
        """The request, which names this version as what made it."""
        given: dict[str, Any] = self.asked
        return replace(Asked.from_json(given), preset=str(self.pk))

    @property
    def operation(self) -> Operation | None:
        """The operation whose form it fills; None for a raw request, and for what the catalogue no longer has."""
        return OPERATIONS.get(str(self.asked.get("operation", "")))

    @property
    def title(self) -> str:
        return self.operation.title if self.operation else self.sends

    @property
    def sends(self) -> str:
        return f"{self.asked['method']} {unquote(self.asked['path'])}"

    @property
    def form_url(self) -> str:
        """The form, filled as this version has it."""
        name, slug = ("form", [self.operation.id]) if self.operation else ("raw", [])
        return f"{reverse(f'operations:{name}', args=[self.installation_id, *slug])}?preset={self.pk}"

    @property
    def tag(self) -> str:
        """The word by which the log finds its calls, those of flows too."""
        return f"preset-{self.pk}"

    def mark(self, asked: Asked) -> Asked:
        """The request that is about to be sent, naming this version if it says the same; files are chosen anew each time."""
        same = said({**asked.to_json(), "files": []}) == said({**self.asked, "files": []})
        return replace(asked, preset=str(self.pk)) if same else asked

    def made(self, call_id: UUID) -> None:
        """Note a call that it makes as the newest of its preset."""
        Preset.objects.filter(pk=self.preset_id).update(last_call_id=call_id)
