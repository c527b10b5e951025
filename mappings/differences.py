"""What a version of a mapping says, field by field, as people read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mappings.actions import MAPPING_FIELDS, RULE_FIELDS, STANDING
from mappings.models import Mapping, Rule, column
from versions.differences import Difference, Field, compared, leaves, numbered

Values = dict[str, Any]
# Fields that are lists of pairs.
PAIRS = ("lookup", "protection")


def changed_fields(before: Values, after: Values) -> list[str]:
    """Only the names of what differs."""
    old, new = dict(fields_of(before)), dict(fields_of(after))
    return [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]


def differences(before: Values, after: Values, standing: bool = False) -> list[Difference]:
    return compared(fields_of(before, standing), fields_of(after, standing))


def fields_of(said: Values, standing: bool = False) -> Iterator[Field]:
    """(name, text) of all that a snapshot says, but for what is empty in a rule; with `standing`, where the mapping stands
    too. An empty snapshot says nothing.
    """
    if not said:
        return
    for name in MAPPING_FIELDS:
        if standing or name not in STANDING:
            yield from _field(Mapping, "", name, said.get(name), or_empty=True)
    targets = [target for target, _ in numbered((rule["target"], "") for rule in said["rules"])]
    if targets:
        yield "Order of rules", "\n".join(targets)
    for target, rule in zip(targets, said["rules"], strict=True):
        for name in RULE_FIELDS:
            if name != "target":
                yield from _field(Rule, f"Rule {target} › ", name, rule.get(name))


def _field(kind: type[Mapping | Rule], before: str, name: str, value: Any, or_empty: bool = False) -> Iterator[Field]:
    field = column(kind, name)
    label = before + str(field.verbose_name).capitalize()
    if value is None or value in ("", [], {}):
        if or_empty:
            yield label, ""
    elif isinstance(value, bool):
        yield label, "yes" if value else "no"
    elif name in PAIRS:
        texts = (
            (key, other if isinstance(other, str) else json.dumps(other, ensure_ascii=False)) for key, other in value
        )
        yield from numbered((f"{label} › {key}", text) for key, text in texts)
    else:
        yield from leaves(label, dict(field.flatchoices).get(value, value) if isinstance(value, str) else value)
