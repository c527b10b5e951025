"""Every rule of the installation's active mappings is tried: on sample records, and on a made-up answer and event."""

from __future__ import annotations

import json
from typing import Any

from django.urls import reverse

from flows.models import Record
from mappings.apply import Applied, RecordView, to_record, to_request
from mappings.models import Mapping
from mappings.structure import example, schema_of
from verification.subject import Outcome, Subject, failed, link, passed, record_link, skipped

ANSWER: dict[str, Any] = {
    "id": "resp_sample",
    "object": "response",
    "status": "completed",
    "created_at": 1700000000,
    "model": "sample",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "A sample answer."}]}],
}
EVENT: dict[str, Any] = {
    "object": "event",
    "id": "evt_sample",
    "type": "response.completed",
    "created_at": 1700000000,
    "data": {"id": "resp_sample"},
}


def run(subject: Subject) -> Outcome:
    mappings = list(Mapping.objects.filter(installation=subject.installation, active=True).prefetch_related("rules"))
    if not mappings:
        return skipped("This installation has no active mapping.", "Add one under Mappings, or activate one.")
    tried = [(mapping, try_mapping(mapping)) for mapping in mappings]
    evidence = [link("Mappings", reverse("mappings:list"))]
    if sample := subject.sample():
        evidence.append(record_link(sample))
    faulty = [mapping for mapping, applied in tried if applied.problems]
    problems = [f"{mapping.name}: {problem.sentence}" for mapping, applied in tried for problem in applied.problems]
    if problems:
        named = ", ".join(mapping.name for mapping in faulty)
        remedy = f"Open {named}, try the rule there on a sample and correct it. Then run this check again."
        opened = [link(f"Mapping {mapping.name}", reverse("mappings:detail", args=[mapping.pk])) for mapping in faulty]
        return failed(" ".join(problems[:5]), remedy, evidence=[*opened[:3], *evidence])
    rules = sum(len(applied.trace) for _, applied in tried)
    empty = sum(1 for _, applied in tried for trace in applied.trace if trace.outcome == "empty")
    rest = f" {empty} of them found their source empty, which they allow." if empty else ""
    return passed(f"All {rules} rules of {len(mappings)} mappings work on the sample record.{rest}", evidence=evidence)


def try_mapping(mapping: Mapping) -> Applied:
    """Apply a mapping as a run would, and write nothing."""
    record = _view(mapping.entity)
    if mapping.direction == "from_hub":
        return to_request(mapping.spec(), record)
    spec = mapping.spec()
    schema = schema_of(spec.rules)
    source = {
        "response": ANSWER,
        "text": json.dumps(example(schema)) if schema else "A sample answer.",
        "event": EVENT,
        "request": {"model": "sample", "input": "A sample prompt."},
        "record": record.as_dict(),
    }
    return to_record(spec, source, None if mapping.sync_type == "add" else record)


def _view(entity: str) -> RecordView:
    found = Record.objects.filter(entity__name=entity).order_by("-sample", "key").first()
    return RecordView(found.key, found.fields, found.custom, entity) if found else RecordView("sample", {}, {}, entity)
