"""The operations of OpenAI's API as data: `operations.json` and `schemas.json`, made by `manage.py refresh_catalogue`.

The rows are read when this is imported, which takes some milliseconds; the schemas when a form first needs them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from openai_api.catalogue.facts import ENTITIES, Lifecycle, beta_of, lifecycle_of, scope_of
from openai_api.catalogue.naming import title_of

FOLDER = Path(__file__).parent
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A parameter of path or query. `schema` is as `openai_api.catalogue.document` describes schemas."""

    name: str
    place: Literal["path", "query"]
    required: bool
    schema: Schema = field(repr=False)


@dataclass(frozen=True)
class Operation:
    """One endpoint. `path` is relative to the base URL, with {names} to fill in; `row` is what the catalogue's file says.

    Made for every operation whenever a process starts, so what only forms ask for is found out when they ask.
    """

    id: str
    method: str
    path: str
    row: Mapping[str, Any] = field(repr=False, compare=False)

    @cached_property
    def title(self) -> str:
        return title_of(self.id)

    @property
    def entity(self) -> str:
        tag: str = self.row["tag"]
        return ENTITIES.get(tag, tag)

    @property
    def permission(self) -> str:
        """The scope that a restricted key needs; empty where it is not known."""
        return scope_of(self.method, self.path)

    @property
    def admin(self) -> bool:
        """Whether it takes an admin key and no other."""
        return self.row.get("auth") == "admin"

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        rows = self.row.get("parameters", ())
        return tuple(Parameter(r["name"], r["in"], bool(r.get("required")), r["schema"]) for r in rows)

    @property
    def bodies(self) -> Mapping[str, Schema]:
        """Kind of body → its schema; kinds are `json` and `multipart`."""
        found: Mapping[str, Schema] = self.row.get("body", {})
        return found

    @property
    def needs_body(self) -> bool:
        return bool(self.row.get("needs_body"))

    @property
    def streams(self) -> bool:
        """Whether it can answer with events as they come."""
        return bool(self.row.get("streams"))

    @property
    def answer(self) -> str:
        """What a good answer is: json, text or binary."""
        return str(self.row.get("answer", "json"))

    @property
    def beta(self) -> str:
        """The header OpenAI-Beta that it needs; empty where it needs none."""
        return beta_of(self.path)

    @property
    def deprecated(self) -> bool:
        return bool(self.row.get("deprecated"))

    @property
    def lifecycle(self) -> Lifecycle | None:
        return lifecycle_of(self.method, self.path)

    def fill(self, values: Mapping[str, str]) -> str:
        """The path with every name filled in and escaped, so that a value can never change which endpoint is called."""
        return self.path.format(**{name: quote(value, safe="") for name, value in values.items()})

    def ended(self, today: date) -> bool:
        """Whether OpenAI no longer answers it."""
        ending = self.lifecycle
        if ending is None:
            return False
        return ending.state in ("shut down", "read only") or (ending.day is not None and ending.day < today)


def _read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


OPERATIONS: dict[str, Operation] = {
    row["id"]: Operation(row["id"], row["method"], row["path"], row) for row in _read("operations.json")["operations"]
}


@cache
def schemas() -> Mapping[str, Schema]:
    """The schemas that operations and other schemas name by `$ref`."""
    found: Mapping[str, Schema] = _read("schemas.json")
    return found


Known = list[tuple[list[str], str]]


def _by_shape() -> dict[tuple[str, int], Known]:
    """Method and number of parts → the paths of that shape, plain parts before named ones."""
    shapes: dict[tuple[str, int], Known] = {}
    for row in OPERATIONS.values():
        parts = row.path.split("/")
        shapes.setdefault((row.method, len(parts)), []).append((parts, row.id))
    for known in shapes.values():
        known.sort(key=lambda each: [part.startswith("{") for part in each[0]])
    return shapes


_SHAPES = _by_shape()


@lru_cache(maxsize=4096)
def find(method: str, path: str) -> str:
    """The id of the operation that a request is, or its method and the first part of its path where it is none of ours."""
    parts = path.split("/")
    for known, operation in _SHAPES.get((method, len(parts)), []):
        if all(ours == part or (ours.startswith("{") and part) for ours, part in zip(known, parts, strict=True)):
            return operation
    return f"{method} {'/'.join(parts[:2])}"[:80]
