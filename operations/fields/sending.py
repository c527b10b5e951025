"""A value as the query of an address or as the fields of a multipart form, written as OpenAI's own libraries write it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from operations.fields.typed import Chosen

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
