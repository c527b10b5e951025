"""The sample that a mapping is tried on: a record of the hub, one of ours where the hub has none, or one that was typed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from mappings import records, samples
from mappings.apply import MappingSpec
from mappings.choices import FROM_HUB

OURS = ""


@dataclass
class Sample:
    """`key` names the record; `text` is the whole document as JSON, which may have been changed by hand.

    `fresh` says that the form has another text.
    """

    key: str
    text: str
    choices: list[tuple[str, str]] = field(default_factory=list)
    fresh: bool = False

    @property
    def digest(self) -> str:
        """By which a text that comes back is known to be ours."""
        return digest_of(self.text)


def digest_of(text: str) -> str:
    """Browsers send line breaks as two characters."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode("utf-8", "replace")).hexdigest()[:16]


def chosen(spec: MappingSpec, given: QueryDict) -> Sample:
    """The sample that a page asks for. What was typed counts as long as no other record is picked."""
    choices = records.newest(spec.entity)
    key = _picked(given, choices)
    typed = given.get("sample", "")
    changed = typed.strip() and digest_of(typed) != given.get("sample_made")
    if changed and given.get("sample_of", key) == key:
        return Sample(key, typed, choices)
    # Ours is made anew: what the rules read of an answer may be more than a moment ago.
    made = Sample(key, json.dumps(document_of(spec, key), indent=2, ensure_ascii=False), choices)
    made.fresh = bool(typed) and made.digest != digest_of(typed)
    return made


def _picked(given: QueryDict, choices: list[tuple[str, str]]) -> str:
    """The key that was picked: by name, or as the next or previous one of the list."""
    keys = [key for key, _ in choices] or [OURS]
    key = given.get("record", keys[0])
    step = {"next": 1, "previous": -1}.get(given.get("step", ""))
    return keys[(keys.index(key) + step) % len(keys)] if step and key in keys else key


def document_of(spec: MappingSpec, key: str) -> dict[str, Any]:
    """What a mapping is applied to, for a record of the hub; with one of ours where there is no such record."""
    found = records.record(spec.entity, key) if key else None
    if spec.direction == FROM_HUB:
        return found or samples.record(spec.entity)
    document = samples.document_for(spec)
    return document | ({"record": found} if found and document["record"] else {})
