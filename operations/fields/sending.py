"""A value as the query of an address or as the fields of a multipart form, written as OpenAI's own libraries write it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openai_api.catalogue.shapes import ANYTHING, Schema, Shapes
from operations.fields.typed import Chosen, parsed

Pair = tuple[str, str]


def pairs(values: Mapping[str, Any]) -> tuple[Pair, ...]:
    """Lists as `name[]=a&name[]=b`, objects as `name[part]=a`, true and false as words. Files are left out."""
    return tuple(pair for name, value in values.items() for pair in _pairs(name, value))


def _pairs(name: str, value: Any) -> Iterator[Pair]:
    match value:
        case dict():
            for part, inner in value.items():
                yield from _pairs(f"{name}[{part}]", inner)
        case list():
            for inner in value:
                yield from _pairs(name if name.endswith("[]") else f"{name}[]", inner)
        case str():
            yield name, value
        case Chosen():
            return
        case _:
            yield name, json.dumps(value)


def files(values: Mapping[str, Any]) -> Iterator[tuple[str, Chosen]]:
    """Each chosen file with the name of its field in the form."""
    for name, value in values.items():
        if isinstance(value, Chosen):
            yield name, value
        elif isinstance(value, list):
            yield from ((f"{name}[]", part) for part in value if isinstance(part, Chosen))


def from_pairs(shapes: Shapes, schema: Schema, given: Iterable[Pair]) -> dict[str, Any]:
    """The value that `pairs` wrote. Text that is not what the schema says stays text."""
    known = shapes.properties(schema)
    found: dict[str, Any] = {}
    for name, text in given:
        if name in known and name.endswith("[]"):
            found.setdefault(name, []).append(text)
        else:
            place = name.partition("[")[0]
            _put(found, place, re.findall(r"\[(.*?)\]", name[len(place) :]), text)
    return {name: _read(shapes, known.get(name, ANYTHING), value) for name, value in found.items()}


def _put(node: dict[str, Any], name: str, steps: list[str], text: str) -> None:
    """Puts the text where the steps lead; an empty step is one more of a list."""
    if not steps:
        node[name] = text
    elif steps[0]:
        inner = node.setdefault(name, {})
        _put(inner if isinstance(inner, dict) else {}, steps[0], steps[1:], text)
    else:
        one: dict[str, Any] = {}
        _put(one, name, steps[1:], text)
        if isinstance(node.setdefault(name, []), list):
            node[name].append(one[name])


def _read(shapes: Shapes, schema: Schema, value: Any) -> Any:
    kind, opened = shapes.kind(schema), shapes.open(schema)
    match kind, value:
        case _, dict():
            known, extra = shapes.properties(opened), opened.get("extra") or ANYTHING
            return {name: _read(shapes, known.get(name, extra), part) for name, part in value.items()}
        case _, list():
            return [_read(shapes, opened.get("items", ANYTHING), part) for part in value]
        case "union", _:
            kinds = {shapes.kind(branch): branch for branch in shapes.branches(opened)}
            return value if kinds.keys() & {"text", "choice"} else _read(shapes, next(iter(kinds.values())), value)
        case (("integer" | "number" | "boolean"), str()):
            return _number_of(value)
    return value


def _number_of(text: str) -> Any:
    try:
        return parsed(text)
    except (ValueError, RecursionError):
        return text
