"""What a mapping can read and what it can fill: the two columns of the editor. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mappings.choices import FROM_HUB
from mappings.paths import written
from mappings.structure import ANSWER, parsed
from openai_api.catalogue import OPERATIONS, schemas
from openai_api.catalogue.shapes import SCALARS, Schema, Shapes

Parts = tuple[str, ...]
Names = Mapping[str, Mapping[str, Any]]
DEEPEST, MOST = 4, 200
SHOWN = 60
# What everybody fills in, though OpenAI's schema does not demand it.
EXPECTED = {"create_response": ("model", "input")}
# Targets that mappings fill most often, in this order; the others follow in the order of the schema.
USUAL = (
    "model", "instructions", "input", "messages", "prompt", "max_output_tokens", "max_completion_tokens", "size",
    "quality", "n", "dimensions", "temperature", "text.format", "reasoning.effort", "metadata", "store",
)  # fmt: skip
WORDS = {"integer": "number", "boolean": "true or false", "map": "names", "json": "JSON"}


@dataclass(frozen=True)
class Field:
    """A field of source or target. `path` is how rules name it, `parts` what it is made of; `sample` is a value it has.

    A field that is `open` takes further names below it, such as metadata.NAME.
    """

    parts: Parts
    path: str
    kind: str
    sample: str = ""
    required: bool = False
    open: bool = False
    choices: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What it is called on the board, where the name is what counts: sku, response.id, record.name."""
        above, rest = (self.parts[:1], self.parts[1:]) if self.parts[0] == "record" else ((), self.parts)
        rest = rest[1:] if len(rest) > 1 and rest[0] in ("fields", "custom") else rest
        return ".".join([*above, *rest])


def sources(document: Mapping[str, Any], names: Names, direction: str, model: str = "") -> list[Field]:
    """Everything that a document holds, and the fields of the entity that it lacks."""
    known = {**document, "model": model} if direction == FROM_HUB else {**document}
    if direction != FROM_HUB and (answer := parsed(document.get("text"))) is not None:
        known[ANSWER] = answer
    found = {field.parts: field for field in _within((), known)}
    above = () if direction == FROM_HUB else ("record",)
    if direction == FROM_HUB or isinstance(document.get("record"), dict):
        for part, values in names.items():
            for name, value in values.items():
                for field in _within((*above, part, name), value) if "`" not in name else ():
                    found.setdefault(field.parts, field)
    order = {
        name: place for place, name in enumerate(dict.fromkeys(["key", ANSWER, "text", *known, "fields", "custom"]))
    }
    return sorted(found.values(), key=lambda field: order.get(field.parts[0], 0))[:MOST]


def request_targets(operation: str, model: str = "") -> list[Field]:
    """The fields of an operation's body, the usual ones first. One that the installation fills is not required."""
    place = {path: number for number, path in enumerate(USUAL)}
    rows = sorted(_of_body(operation), key=lambda field: place.get(field.path, len(USUAL)))
    return [_filled(field, model) if field.path == "model" and model else field for field in rows]


def record_targets(names: Names) -> list[Field]:
    """The fields of a record. Their names are written as they are, without quotes."""
    return [
        Field((part, name), f"{part}.{name}", kind_of(value), shown(value))
        for part in ("fields", "custom")
        for name, value in names.get(part, {}).items()
    ]


def kind_of(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "number"
        case list():
            return "list"
        case dict():
            return "object"
    return ""


def shown(value: Any) -> str:
    """A value in one short line; nothing for none."""
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    line = " ".join(text[: SHOWN * 4].split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


def _within(parts: Parts, value: Any) -> Iterator[Field]:
    """The values within an object, each under its whole path; a value that has no names is itself a field."""
    inner = [name for name in value if name and "`" not in name] if isinstance(value, dict) else []
    if not inner or len(parts) >= DEEPEST:
        if parts and parts not in (("fields",), ("custom",), ("record", "fields"), ("record", "custom")):
            yield Field(parts, written(parts), kind_of(value), shown(value))
        return
    for name in inner:
        yield from _within((*parts, name), value[name])


def _filled(field: Field, value: str) -> Field:
    return Field(field.parts, field.path, field.kind, value, choices=field.choices)


@lru_cache(maxsize=32)
def _of_body(operation: str) -> tuple[Field, ...]:
    known = OPERATIONS.get(operation)
    schema = known.bodies.get("json") if known else None
    if schema is None:
        return ()
    shapes, expected = Shapes(schemas()), EXPECTED.get(operation, ())
    return tuple(_of_object(shapes, schema, (), expected))


def _of_object(shapes: Shapes, schema: Schema, above: Parts, expected: tuple[str, ...] = ()) -> Iterator[Field]:
    needed = {*shapes.required(schema), *expected}
    for name, part in shapes.properties(schema).items():
        kind, opened, parts = shapes.kind(part), shapes.open(part), (*above, name)
        if opened.get("deprecated"):
            continue
        if kind == "object" and len(parts) < DEEPEST - 1:
            yield from _of_object(shapes, part, parts)
            continue
        choices = tuple(str(each) for each in opened.get("enum") or opened.get("suggest") or ())
        kinds = [shapes.kind(branch) for branch in shapes.branches(part)] if kind == "union" else [kind]
        word = " or ".join(dict.fromkeys(WORDS.get(each, each) for each in kinds))
        required = name in needed and not above
        yield Field(parts, written(parts), word, "", required, kind not in SCALARS, choices if kind in SCALARS else ())
