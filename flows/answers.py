"""What an answer changes in the record that was sent: the *to hub* mappings that its run began with, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from flows.models import Item
from flows.records import difference
from mappings.answers import document
from mappings.apply import RecordView, to_record
from mappings.models import MappingVersion


@dataclass
class Change:
    """What is to be written. `before` and `after` name what differs; `problem` says why nothing may be written."""

    fields: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    made_by: tuple[tuple[int, str], ...] = ()
    problem: str = ""


def source_of(item: Item, response: dict[str, Any]) -> dict[str, Any]:
    record = item.record
    parts = {"key": record.key, "fields": record.fields, "custom": record.custom}
    return document(response, item.request, parts, timezone.now().isoformat(timespec="seconds"), item.masks)


def changes_of(item: Item, response: dict[str, Any]) -> Change:
    """Apply the mappings for answers; each sees what the ones before it changed."""
    record, source, change = item.record, source_of(item, response), Change()
    for version in MappingVersion.objects.in_order(item.run.answers):
        view = RecordView(record.key, record.fields | change.fields, record.custom | change.custom, record.entity.name)
        applied = to_record(version.spec(item.run.installation.model), source, view)
        if applied.skipped is not None:
            continue
        if applied.problems:
            change.problem = " ".join(problem.sentence for problem in applied.problems)
            return change
        _take(change, applied.changes)
        change.made_by += ((version.pk, str(version)),)
    old = {"fields": record.fields, "custom": record.custom}
    new = {"fields": record.fields | change.fields, "custom": record.custom | change.custom}
    change.before, change.after = difference(old, new)
    return change


def _take(change: Change, values: dict[str, Any]) -> None:
    for target, value in values.items():
        part, _, name = target.partition(".")
        (change.fields if part == "fields" else change.custom)[name] = value
