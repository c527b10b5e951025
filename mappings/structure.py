"""Structured output: the JSON schema that the rules of answers ask for, and an answer held to it. Pure.

A rule that reads a named value (`answer.title`) makes a property of that name; its value type says of which kind, and a
lookup table which values there are. Strict mode wants every property required and no others; what may be missing is null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from expressions.bounded import ExpressionError, names_in
from expressions.places import pieces
from mappings.choices import CHAT, RESPONSE, VALUE_TYPES
from mappings.paths import PathError, parts_of

if TYPE_CHECKING:
    from mappings.apply import RuleSpec

ANSWER: Final = "answer"
MOST_CHOICES: Final = 1000  # of strict mode, over all enums; kept for each
Schema = dict[str, Any]
TEXT: Final[Schema] = {"type": "string"}
PAIR: Final[Schema] = {
    "type": "object",
    "properties": {"name": TEXT, "value": TEXT},
    "required": ["name", "value"],
    "additionalProperties": False,
}
SCHEMAS: Final[dict[str, Schema]] = {
    "": TEXT,
    "text": TEXT,
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "texts": {"type": "array", "items": TEXT},
    "numbers": {"type": "array", "items": {"type": "number"}},
    "pairs": {"type": "array", "items": PAIR},
}
DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
KINDS: Final = {"string": "a text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
                "array": "a list", "object": "an object", "null": "nothing"}  # fmt: skip


def schema_of(rules: Iterable[RuleSpec]) -> Schema | None:
    """The schema of the answer that these rules read; None where they read no named value."""
    properties: dict[str, Any] = {}
    formulas: list[str] = []
    for rule in (rule for rule in rules if rule.active):
        if rule.kind in ("field", "lookup"):
            if way := _way(rule.source):
                _put(properties, way, _leaf(rule))
        elif rule.kind in ("formula", "template"):
            formulas += _names(rule)
    for name in formulas:
        properties.setdefault(name, TEXT)
    return _object(properties) if properties else None


def _way(source: str) -> list[str]:
    """The names under `answer` of a path; empty for any other."""
    try:
        first, *way = parts_of(source)
    except PathError:
        return []
    return way if first == ANSWER else []


def _names(rule: RuleSpec) -> list[str]:
    """The named values that an expression reads, as texts."""
    sources = (
        [rule.source] if rule.kind == "formula" else [each.expression for each in pieces(rule.source) if each.start]
    )
    try:
        return [name for source in sources for name in names_in(source, ANSWER)]
    except ExpressionError:
        return []


def _leaf(rule: RuleSpec) -> Schema:
    optional = not rule.required
    if rule.kind == "lookup":
        choices: list[Any] = list(rule.lookup)[:MOST_CHOICES]
        return {"type": _or_null("string", optional), "enum": choices + [None] * optional}
    schema = SCHEMAS.get(rule.value_type, TEXT)
    return schema | {"type": _or_null(schema["type"], optional)}


def _or_null(kind: str, optional: bool) -> Any:
    return [kind, "null"] if optional else kind


def _put(properties: dict[str, Any], way: list[str], leaf: Schema) -> None:
    """What two rules say of one value: an object where one reads into it, else as the first says; required if either."""
    name, *rest = way
    there = properties.get(name)
    if rest and rest[0].isdecimal():  # a member of a list: what the others say of the whole list stands
        properties.setdefault(name, {"type": "array", "items": leaf if len(rest) == 1 else TEXT})
    elif rest:
        inner = there["properties"] if there and there["type"] == "object" else {}
        _put(inner, rest, leaf)
        properties[name] = _object(inner)
    elif there is None:
        properties[name] = leaf
    elif not isinstance(leaf["type"], list) and isinstance(there["type"], list):
        choices = {"enum": [each for each in there["enum"] if each is not None]} if "enum" in there else {}
        properties[name] = there | choices | {"type": there["type"][0]}


def _object(properties: dict[str, Any]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def asked_for(operation: str, schema: Schema, name: str) -> tuple[str, str, dict[str, Any]] | None:
    """Where a body of this operation asks for a schema: outer name, inner name, value. None where it can't."""
    title = re.sub(r"[^a-zA-Z0-9_-]+", "_", name).strip("_")[:64] or ANSWER
    named = {"name": title, "schema": schema, "strict": True}
    if operation == RESPONSE:
        return "text", "format", {"type": "json_schema", **named}
    if operation == CHAT:
        return "response_format", "", {"type": "json_schema", "json_schema": named}
    return None


def parsed(text: Any) -> Any:
    """The answer's text as a value; None where it is no JSON."""
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def misfits(schema: Schema, value: Any, path: str = ANSWER) -> Iterator[tuple[str, str]]:
    """What of a value does not fit, as (path, sentence). It knows what `schema_of` makes."""
    if path == ANSWER and not isinstance(value, dict):
        yield path, "The answer is not the JSON object that was asked for. Ask again, or allow more tokens for it."
        return
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kind = kind_of(value)
    if kind not in kinds and not (kind == "integer" and "number" in kinds):
        expected = " or ".join(KINDS[each] for each in kinds)
        yield path, f"Expected {expected}, and the answer has {KINDS[kind]}."
    elif "enum" in schema and value not in schema["enum"]:
        yield path, f"{value!r} is none of the {len(schema['enum'])} values of the lookup table."
    elif schema.get("format") == "date" and value is not None and not DATE.fullmatch(value):
        yield path, "Expected a date such as 2026-11-21."
    elif kind == "array":
        for number, inner in enumerate(value, start=1):
            yield from misfits(schema["items"], inner, f"{path}.{number}")
    elif kind == "object":
        yield from _misfits_within(schema, value, path)


def _misfits_within(schema: Schema, value: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, inner in schema["properties"].items():
        if name in value:
            yield from misfits(inner, value[name], f"{path}.{name}")
        else:
            yield f"{path}.{name}", "It is missing in the answer."
    for name in value.keys() - schema["properties"].keys():
        yield f"{path}.{name}", "The answer has it, and nothing asked for it."


def example(schema: Schema, name: str = "text") -> Any:
    """A value that fits."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema["type"][0] if isinstance(schema["type"], list) else schema["type"]
    match kind:
        case "object":
            return {each: example(inner, each) for each, inner in schema["properties"].items()}
        case "array":
            return [example(schema["items"], name)]
        case "string":
            return "2026-11-21" if schema.get("format") == "date" else f"Sample {name.replace('_', ' ')}"
    return {"boolean": True, "integer": 3, "number": 2.5}.get(kind)


def kind_of(value: Any) -> str:
    """The type of a value, as a schema names it."""
    if isinstance(value, bool):
        return "boolean"
    names: dict[type, str] = {
        int: "integer", float: "number", str: "string", list: "array", dict: "object", type(None): "null",
    }  # fmt: skip
    return names.get(type(value), "object")


def wrong_type(value_type: str, value: Any) -> str:
    """Why a value is not of the type that its rule says; empty where it is. Any value is of no type."""
    if not value_type or value_type not in SCHEMAS:
        return ""
    for path, _ in misfits(SCHEMAS[value_type], value, "value"):
        where = "" if path == "value" else f", at {path.removeprefix('value.')}"
        label = dict(VALUE_TYPES)[value_type].lower()
        return f"The rule says {label}, and the source gives {KINDS[kind_of(value)]}{where}."
    return ""
