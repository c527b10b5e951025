"""The one way in which a hub record is written, and what follows from it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from flows.models import Entity, Record, RecordChange, digest_of
from logs.audit import Actor

# Changes that came from OpenAI start no push: the answer to it would change the record again, and so on for ever.
QUIET_CAUSES = frozenset({"answer", "event", "pull", "sample"})


@dataclass(frozen=True)
class Cause:
    """Why a record changes. `kind` is `edit`, `answer`, `pull`, `event`, `check`, `sample`; the rest is for its history
    (`made_by` as in `RecordChange`), but for `correlation_id`: the flows that the change starts make their calls under it.
    A change that is made for one flow names it in `only_flow`, and starts no other.
    """

    kind: str
    id: str = ""
    call_id: uuid.UUID | None = None
    made_by: tuple[tuple[int, str], ...] = ()
    correlation_id: str = ""
    only_flow: int | None = None


def save_record(
    actor: Actor,
    entity: Entity | str,
    key: str,
    fields: dict[str, Any] | None = None,
    custom: dict[str, Any] | None = None,
    cause: Cause | str = "edit",
    sample: bool | None = None,
) -> tuple[Record, bool]:
    """Add or update the record `key`; say whether anything changed.

    The given names are written, the others stay. A change is added to the history, and flows that wait for changes are
    queued, all in one transaction; contents that are the same already write nothing.

    Raises Entity.DoesNotExist for an entity that the hub does not know.
    """
    why = Cause(cause) if isinstance(cause, str) else cause
    kind = Entity.objects.get(name=entity) if isinstance(entity, str) else entity
    with transaction.atomic():
        record = Record.objects.select_for_update().filter(entity=kind, key=key).first() or Record(entity=kind, key=key)
        if sample is not None:
            record.sample = sample
        changed = _write(record, fields or {}, custom or {}, actor, why)
        if changed and why.kind not in QUIET_CAUSES:
            _start_flows(actor, record, why)
    return record, changed


def _write(record: Record, fields: dict[str, Any], custom: dict[str, Any], actor: Actor, why: Cause) -> bool:
    before = {"fields": record.fields, "custom": record.custom}
    after = {"fields": record.fields | fields, "custom": record.custom | custom}
    digest = digest_of(after["fields"], after["custom"])
    if record.pk and digest == record.digest:
        return False
    record.version = record.version + 1 if record.pk else 1
    record.fields, record.custom, record.digest = after["fields"], after["custom"], digest
    record.title = str(record.fields.get(record.entity.title_field) or "")[:300]
    record.changed_at = timezone.now()
    record.save()
    old, new = difference(before, after)
    RecordChange.objects.create(
        record_id=record.pk,
        entity=record.entity.name,
        key=record.key,
        before=old,
        after=new,
        cause=why.kind,
        cause_id=why.id,
        call_id=why.call_id,
        made_by=why.made_by,
        actor=actor.name,
    )
    return True


def difference(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs, as `fields.<name>` and `custom.<name>`: (old values, new values)."""
    names = [
        (part, name) for part, values in after.items() for name, value in values.items()
        if name not in before[part] or before[part][name] != value
    ]  # fmt: skip
    old = {f"{part}.{name}": before[part][name] for part, name in names if name in before[part]}
    return old, {f"{part}.{name}": after[part][name] for part, name in names}


def _start_flows(actor: Actor, record: Record, why: Cause) -> None:
    # Runs are started above this module, and a run's answers are saved through it.
    from flows.starting import start_on_change

    start_on_change(actor, record, why.correlation_id, why.only_flow)
