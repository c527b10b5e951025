"""A mapping turned round: what it read it writes, and what it wrote it reads. Pure.

A mapping from the hub reads `fields.x` and writes a path of the request; turned round it reads that path of the request that
was sent (`request.…`) and writes `fields.x`. So field and lookup rules can be turned round; what is made up on the way,
and what has no place on the other side, can't.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mappings.apply import RECORD_PARTS, is_empty, record_target
from mappings.choices import EVENT, FROM_HUB, RESPONSE, TO_HUB
from mappings.paths import PathError, parts_of

Values = dict[str, Any]
REQUEST = "request"


class NoWayBack(ValueError):
    """Why a rule can't be turned round, in a sentence."""


@dataclass(frozen=True)
class Reversed:
    """`said` is the snapshot turned round; `rules` has for each old rule its new one or the reason why there is none."""

    said: Values
    rules: list[tuple[Values, Values | None, str]]
    left_out: list[str]


def reverse(said: Values) -> Reversed:
    """Turn a snapshot round. Filters look at what is read, so they are left out, and said to be."""
    out = said["direction"] == FROM_HUB
    rules = [_turned(rule, _to_record if out else _to_request) for rule in said["rules"]]
    left_out = [
        f"The {name.replace('_', ' ')} looks at what the mapping reads, which is something else now."
        for name in ("filter", "error_filter") if said[name].strip()
    ]  # fmt: skip
    changed: Values = {"direction": TO_HUB if out else FROM_HUB, "filter": "", "error_filter": "", "protection": []}
    if said["protection"]:
        left_out.append("Fields are protected on their way out only.")
    if not out and said["operation"] == EVENT:
        changed["operation"] = RESPONSE
        left_out.append("Events come to the hub only, so the operation is Create response.")
    if said["sync_type"] == "delete":
        changed["sync_type"] = "add_and_update"
        left_out.append("A push deletes nothing at OpenAI, so the type is Add and update.")
    return Reversed(said | changed | {"rules": [new for _, new, _ in rules if new]}, rules, left_out)


def _turned(rule: Values, way: Callable[[str, str], tuple[str, str]]) -> tuple[Values, Values | None, str]:
    try:
        if rule["kind"] not in ("field", "lookup"):
            raise NoWayBack(f"A {rule['kind']} rule reads no one place, so there is none to write to.")
        target, source = way(rule["source"], rule["target"])
        table = _inverse(rule["lookup"]) if rule["kind"] == "lookup" else rule["lookup"]
        # What a lookup writes when it finds nothing is a word of the other side.
        default = "" if rule["kind"] == "lookup" else rule["default"]
    except NoWayBack as reason:
        return rule, None, str(reason)
    except PathError as error:
        return rule, None, str(error)
    return rule, rule | {"target": target, "source": source, "lookup": table, "default": default}, ""


def _to_record(source: str, target: str) -> tuple[str, str]:
    """Target and source of the way back from a request to a record."""
    parts = parts_of(source)
    if len(parts) != 2 or parts[0] not in RECORD_PARTS:
        raise NoWayBack(f"{source} is no field of a record, so nothing can be written there.")
    return ".".join(parts), f"{REQUEST}.{target}"


def _to_request(source: str, target: str) -> tuple[str, str]:
    """Target and source of the way back from a record to a request."""
    first, _, rest = source.partition(".")
    if first != REQUEST or not rest:
        raise NoWayBack(f"{source} is no part of a request, so nothing can be sent there.")
    return rest, ".".join(_quoted(part) for part in record_target(target))


def _quoted(name: str) -> str:
    if "`" in name:
        raise NoWayBack(f"The name {name} has a backtick in it, so no path leads there.")
    return f"`{name}`" if "." in name else name


def _inverse(table: list[list[Any]]) -> list[list[Any]]:
    pairs: dict[str, str] = {}
    for key, value in table:
        if isinstance(value, dict | list) or is_empty(value):
            raise NoWayBack("Its table writes a value that can't be looked up.")
        name = value if isinstance(value, str) else json.dumps(value)
        if name in pairs:
            raise NoWayBack(f"Two lines of its table write {name}, so there is no one way back.")
        pairs[name] = key
    return [[name, key] for name, key in pairs.items()]
