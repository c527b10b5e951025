"""The preview: a mapping applied to a sample document, by the same functions as a run."""

from __future__ import annotations

import json
from typing import Any

from mappings.apply import Applied, MappingSpec, RecordView, to_record, to_request
from mappings.choices import FROM_HUB

MAX_SAMPLE = 200_000


class SampleError(ValueError):
    """The sample document cannot be used; the text says why."""


def preview(spec: MappingSpec, document: dict[str, Any]) -> Applied:
    """Apply a mapping to a document in the shape of `mappings.samples`. Raises `SampleError`."""
    if spec.direction == FROM_HUB:
        return to_request(spec, _view(document), now=document.get("now"))
    record = document.get("record")
    return to_record(spec, document, None if record is None else _view(record))


def read_sample(text: str) -> dict[str, Any]:
    """A document as a person typed it. Raises `SampleError`."""
    if len(text) > MAX_SAMPLE:
        raise SampleError(f"The sample is longer than {MAX_SAMPLE:,} characters. Shorten it.")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"Line {error.lineno}, character {error.colno}: this is not JSON ({error.msg.lower()}). Correct it."
        raise SampleError(message) from None
    except RecursionError:
        raise SampleError("The sample is nested too deeply. Flatten it.") from None
    if not isinstance(document, dict):
        raise SampleError('The sample is not a JSON object. Put it in braces: {"key": ..., "fields": {...}}.')
    return document


def _view(record: Any) -> RecordView:
    if not isinstance(record, dict):
        raise SampleError("The record of the sample is not a JSON object. Give it key, fields and custom.")
    parts = [record.get("fields", {}), record.get("custom", {})]
    if not all(isinstance(part, dict) for part in parts):
        raise SampleError("fields and custom of the sample must be JSON objects.")
    return RecordView(str(record.get("key", "")), parts[0], parts[1], str(record.get("entity", "")))
