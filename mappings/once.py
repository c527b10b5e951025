"""Run once: what the preview shows is really sent, and what the answer would change is shown, but not written."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from connections.clients import client_for
from logs.audit import Actor
from logs.context import Context
from mappings import answers
from mappings.actions import recorded
from mappings.apply import Applied, MappingSpec, RecordView, timestamp, to_record
from mappings.models import Mapping
from mappings.preview import preview, view_of
from openai_api.errors import CallError

CAUSE = "preview"
# Seconds for the call; a person waits for it.
TIMEOUT = 120.0


@dataclass
class Once:
    """What became of one call: the answer, and for each mapping to the hub what it would write. `refused` says why not."""

    call_id: uuid.UUID | None = None
    response: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    back: list[tuple[Mapping, Applied]] = field(default_factory=list)
    refused: str = ""
    help_code: str = ""


def run_once(mapping: Mapping, spec: MappingSpec, document: dict[str, Any], actor: Actor) -> Once:
    """Send what `preview` makes of a document, as a run would. Raises `SampleError`; never called in a transaction."""
    applied = preview(spec, document)
    if not applied.ok:
        return Once(refused="Nothing was sent: the preview says why. Correct it, and run it once more.")
    record = view_of(document)
    label = f"Run once, {spec.entity} {record.key}: {mapping.name}"
    try:
        # A rule that is still being typed is no version.
        tags = recorded(mapping).tag if spec == mapping.spec() else ""
        context = Context(CAUSE, str(mapping.pk), label[:200], actor.name, tags=tags)
        answer = client_for(mapping.installation).call(
            spec.operation,
            json=applied.body,
            context=context,
            timeout=TIMEOUT,
            unlogged=tuple(applied.protected.unlogged),
        )
    except CallError as error:
        return Once(error.call_id, refused=error.sentence, help_code=error.help_code)
    response = answer.json if isinstance(answer.json, dict) else {}
    document = answers.document(response, applied.body, record.as_dict(), timestamp(), applied.protected.masks)
    back = mapped_back(mapping, spec, document, record)
    return Once(answer.call_id, response, answers.text_of(response), back)


def mapped_back(
    mapping: Mapping, spec: MappingSpec, document: dict[str, Any], record: RecordView
) -> list[tuple[Mapping, Applied]]:
    """What each active mapping for answers of this kind would write."""
    fitting = Mapping.objects.for_answer(mapping.installation, spec.entity, spec.operation, mapping.task)
    return [(each, to_record(each.spec(), document, record)) for each in fitting]
