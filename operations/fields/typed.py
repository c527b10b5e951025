"""What was typed is a flat table, path → text, as a form posts it; this module makes it of a value and a value of it.

A path names a field as in `body/messages/0/content`. Marks stand behind a #:

    path#in      the part is there: an object, a map, a list, or a row of a list
    path#as      which shape of a union is meant, as a number
    path#json    the part as JSON text, where its fields cannot or shall not show it
    path#more    an object's fields that its schema does not know, as a JSON object
    path#key     the name of a row of a map
    path#file    the name of the file that was chosen

Whatever a value is and whatever its schema, `value_of(typed_of(value))` is that value. Text that is no value stays as typed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from openai_api.catalogue.shapes import ANYTHING, Schema, Shapes, step
from operations.fields import checks

Typed = dict[str, str]
ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT", "__bool__": lambda self: False})()
DEEPEST = 16


@dataclass(frozen=True)
class Chosen:
    """A file that was chosen in the field of this path; `name` is the file's."""

    path: str
    name: str


def typed_of(shapes: Shapes, schema: Schema, value: Any, path: str) -> Typed:
    """The table in which a form shows the value."""
    return _Spreading(shapes).spread(schema, value, path, 0)


def as_json(value: Any) -> str:
    """The value for people to read and change. Half characters are escaped: no page could show them."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return text if _whole(text) else json.dumps(value, indent=2)


def parsed(text: str) -> Any:
    """The value of a JSON text. Raises ValueError for what is none, for numbers without end, and RecursionError."""
    return json.loads(text, parse_constant=_no_number, parse_float=_finite)


@dataclass(frozen=True)
class _Spreading:
    shapes: Shapes

    def spread(self, schema: Schema, value: Any, path: str, depth: int) -> Typed:
        if value is ABSENT:
            return {}
        kind = self.shapes.kind(schema)
        opened = self.shapes.open(schema)
        match kind, value:
            case "text", str() if value and "\r" not in value and _whole(value):
                return {path: value}
            case "choice", str() if value and value in opened["enum"]:
                return {path: value}
            case "integer" | "number", int() | float() if _is_number(value, kind):
                return {path: json.dumps(value)}
            case "boolean", bool():
                return {path: "true" if value else "false"}
            case "object", dict() if depth < DEEPEST:
                return self._object(opened, value, path, depth)
            case "map", dict() if depth < DEEPEST and all(name and _whole(name) and "\r" not in name for name in value):
                return self._map(opened, value, path, depth)
            case "list", list() if depth < DEEPEST:
                return self._list(opened, value, path, depth)
            case "union", _ if depth < DEEPEST:
                return self._union(opened, value, path, depth)
        return {f"{path}#json": as_json(value)}

    def _object(self, schema: Schema, value: dict[str, Any], path: str, depth: int) -> Typed:
        known = self.shapes.properties(schema)
        typed = {f"{path}#in": "1"}
        for name, part in value.items():
            if name in known:
                typed |= self.spread(known[name], part, step(path, name), depth + 1)
        more = {name: part for name, part in value.items() if name not in known}
        return typed | ({f"{path}#more": as_json(more)} if more else {})

    def _map(self, schema: Schema, value: dict[str, Any], path: str, depth: int) -> Typed:
        typed = {f"{path}#in": "1"}
        for number, (name, part) in enumerate(value.items()):
            row = step(path, number)
            typed |= {f"{row}#in": "1", f"{row}#key": name} | self.spread(schema["extra"], part, row, depth + 1)
        return typed

    def _list(self, schema: Schema, value: list[Any], path: str, depth: int) -> Typed:
        typed = {f"{path}#in": "1"}
        for number, part in enumerate(value):
            row = step(path, number)
            typed |= {f"{row}#in": "1"} | self.spread(schema.get("items", ANYTHING), part, row, depth + 1)
        return typed

    def _union(self, schema: Schema, value: Any, path: str, depth: int) -> Typed:
        number = checks.branch_of(self.shapes, schema, value)
        branch = self.shapes.branches(schema)[number]
        return {f"{path}#as": str(number)} | self.spread(branch, value, path, depth + 1)


def _is_number(value: Any, kind: str) -> bool:
    return not isinstance(value, bool) and (kind == "number" or isinstance(value, int))


@dataclass
class Reading:
    """Makes a value of what was typed. `problems` is path → what is wrong with the text that stands there."""

    shapes: Shapes
    typed: Mapping[str, str]
    problems: dict[str, str] = field(default_factory=dict)

    def value(self, schema: Schema, path: str) -> Any:
        """The value, or ABSENT. What cannot be read is absent and has its problem."""
        if f"{path}#json" in self.typed:
            return self._json(f"{path}#json", path)
        kind = self.shapes.kind(schema)
        schema = self.shapes.open(schema)
        match kind:
            case "object":
                return self._object(schema, path)
            case "map":
                return self._map(schema, path)
            case "list":
                return self._list(schema, path)
            case "union":
                return self._union(schema, path)
            case "file":
                name = self.typed.get(f"{path}#file", "")
                return Chosen(path, name) if name else ABSENT
            case "json":
                return self._json(path, path)
        return self._scalar(kind, self.typed.get(path, ""), path)

    def _scalar(self, kind: str, text: str, path: str) -> Any:
        if kind in ("integer", "number"):
            return self._number(kind, text.strip(), path)
        if kind == "boolean":
            return {"true": True, "false": False}.get(text, ABSENT)
        return text or ABSENT

    def _number(self, kind: str, text: str, path: str) -> Any:
        if not text:
            return ABSENT
        try:
            number = parsed(text)
        except (ValueError, RecursionError):
            number = None
        if isinstance(number, bool) or not isinstance(number, int | float):
            what = "a whole number, such as 3" if kind == "integer" else "a number, such as 0.7"
            self.problems[path] = f"“{text[:40]}” is no number. Enter {what}."
            return ABSENT
        return number

    def _json(self, key: str, path: str) -> Any:
        text = self.typed.get(key, "").strip()
        if not text:
            return ABSENT
        try:
            return parsed(text)
        except RecursionError:
            self.problems[path] = "This JSON is nested too deeply. Give it fewer levels."
        except ValueError as error:
            self.problems[path] = f"This is no JSON: {json_problem(error)}"
        return ABSENT

    def _object(self, schema: Schema, path: str) -> Any:
        if f"{path}#in" not in self.typed:
            return ABSENT
        value = {name: self.value(part, step(path, name)) for name, part in self.shapes.properties(schema).items()}
        value = {name: part for name, part in value.items() if part is not ABSENT}
        more = self._json(f"{path}#more", path)
        if more is not ABSENT and not isinstance(more, dict):
            self.problems[path] = "The other fields are no JSON object. Write them as {“name”: value}."
            return value
        return value | (more or {})

    def _map(self, schema: Schema, path: str) -> Any:
        if f"{path}#in" not in self.typed:
            return ABSENT
        value: dict[str, Any] = {}
        for row in rows(self.typed, path):
            name, part = self.typed.get(f"{row}#key", ""), self.value(schema["extra"], row)
            if name and name in value:
                self.problems[row] = f"“{name}” stands here twice. Give each row a name of its own."
            elif name:
                value[name] = part if part is not ABSENT else ""
            elif part is not ABSENT:
                self.problems[row] = "This row has no name. Enter one, or remove the row."
        return value

    def _list(self, schema: Schema, path: str) -> Any:
        if f"{path}#in" not in self.typed:
            return ABSENT
        values = [self.value(schema.get("items", ANYTHING), row) for row in rows(self.typed, path)]
        return [value for value in values if value is not ABSENT]

    def _union(self, schema: Schema, path: str) -> Any:
        number = branch_typed(self.typed, path)
        branches = self.shapes.branches(schema)
        return self.value(branches[number], path) if number is not None and number < len(branches) else ABSENT


def branch_typed(typed: Mapping[str, str], path: str) -> int | None:
    """Which shape of a union was chosen, or None where the union is not there."""
    text = typed.get(f"{path}#as", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None


def rows(typed: Mapping[str, str], path: str) -> list[str]:
    """The paths of a list's rows, in their order. Their numbers may have gaps: a row keeps its own while others go."""
    start = len(path) + 1
    numbers = {key[start:-3] for key in typed if key.startswith(f"{path}/") and key.endswith("#in")}
    return [f"{path}/{number}" for number in sorted((n for n in numbers if n.isascii() and n.isdigit()), key=int)]


def json_problem(error: ValueError) -> str:
    """What is wrong with a JSON text and where, in a sentence."""
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, character {error.colno}: {error.msg}. Correct it there."
    return f"{error}. Correct it."


def _whole(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number that JSON knows")
