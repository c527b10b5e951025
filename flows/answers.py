"""What an answer changes in the record that was sent: the active *to hub* mappings of its entity, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from flows.models import Item
from flows.records import difference
from mappings.apply import RecordView, to_record
from mappings.models import Mapping


@dataclass
class Change:
    """What is to be written. `before` and `after` name what differs; `problem` says why nothing may be written."""

    fields: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    mapping_name: str = ""
    mapping_version: int | None = None
    problem: str = ""


def text_of(response: dict[str, Any]) -> str:
    """All output text of a response, joined as OpenAI's own SDK joins it; of a chat completion, its first choice."""
    for choice in response.get("choices") or []:
        return (choice.get("message") or {}).get("content") or ""
    parts = (
        part
        for output in response.get("output") or []
        if isinstance(output, dict) and output.get("type") == "message"
        for part in output.get("content") or []
    )
    return "".join(part.get("text") or "" for part in parts if part.get("type") == "output_text")


def source_of(item: Item, response: dict[str, Any]) -> dict[str, Any]:
    record = item.record
    return {
        "response": response,
        "text": text_of(response),
        "event": None,
        "request": item.request,
        "masks": item.masks,
        "record": {"key": record.key, "fields": record.fields, "custom": record.custom},
        "now": timezone.now().isoformat(timespec="seconds"),
    }


def changes_of(item: Item, response: dict[str, Any]) -> Change:
    """Apply the mappings for answers; each sees what the ones before it changed."""
    record, source, change = item.record, source_of(item, response), Change()
    run = item.run
    task = run.mapping.task if run.mapping else ""
    for mapping in Mapping.objects.for_answer(run.installation, record.entity.name, run.operation, task):
        view = RecordView(record.key, record.fields | change.fields, record.custom | change.custom, record.entity.name)
        applied = to_record(mapping.spec(), source, view)
        if applied.skipped is not None:
            continue
        if applied.problems:
            change.problem = " ".join(problem.sentence for problem in applied.problems)
            return change
        _take(change, applied.changes)
        change.mapping_name, change.mapping_version = mapping.name, mapping.version
    old = {"fields": record.fields, "custom": record.custom}
    new = {"fields": record.fields | change.fields, "custom": record.custom | change.custom}
    change.before, change.after = difference(old, new)
    return change


def _take(change: Change, values: dict[str, Any]) -> None:
    for target, value in values.items():
        part, _, name = target.partition(".")
        (change.fields if part == "fields" else change.custom)[name] = value
