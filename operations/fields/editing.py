"""What buttons of a form do to what was typed: parts and rows come and go, shapes change, fields become JSON and back."""

from __future__ import annotations

from openai_api.catalogue.shapes import Schema, Shapes, step
from operations.fields.typed import ABSENT, DEEPEST, Reading, Typed, as_json, branch_typed, rows, typed_of

VERBS = ("add", "remove", "json", "fields")


def edited(shapes: Shapes, schema: Schema, typed: Typed, verb: str, path: str) -> Typed:
    """What was typed after a button was pressed. `schema` is that of the field whose path it is. Raises ValueError."""
    match verb:
        case "add":
            return added(shapes, schema, typed, path)
        case "remove":
            return removed(typed, path)
        case "json":
            value = Reading(shapes, typed).value(schema, path)
            return removed(typed, path, marks=False) | {f"{path}#json": "" if value is ABSENT else as_json(value)}
        case "fields":
            return from_json(shapes, schema, typed, path)
    raise ValueError(f"No button does {verb!r}.")


def added(shapes: Shapes, schema: Schema, typed: Typed, path: str) -> Typed:
    """With the part there; a list or map that is there already gets one row more."""
    kind, opened = shapes.kind(schema), shapes.open(schema)
    number = branch_typed(typed, path)
    if kind == "union" and number is not None:
        branches = shapes.branches(opened)
        return added(shapes, branches[number], typed, path) if number < len(branches) else typed
    if kind == "union":
        return typed | {f"{path}#as": "0"} | begun(shapes, shapes.branches(opened)[0], path)
    if kind in ("list", "map"):
        there = rows(typed, path)
        row = f"{path}/{int(there[-1].rpartition('/')[2]) + 1 if there else 0}"
        part = opened["extra"] if kind == "map" else opened.get("items", {})
        return typed | {f"{path}#in": "1", f"{row}#in": "1"} | begun(shapes, part, row)
    return typed | ({f"{path}#in": "1"} if kind == "object" else {f"{path}#json": ""} if kind == "json" else {})


def begun(shapes: Shapes, schema: Schema, path: str) -> Typed:
    """The marks that a new part begins with."""
    match shapes.kind(schema):
        case "object" | "map" | "list":
            return {f"{path}#in": "1"}
        case "union":
            return {f"{path}#as": "0"} | begun(shapes, shapes.branches(schema)[0], path)
    return {}


def removed(typed: Typed, path: str, *, marks: bool = True) -> Typed:
    """Without the part and all that is in it; without `marks` its own #in and #key stay, for a row remains a row."""
    kept = () if marks else (f"{path}#in", f"{path}#key", f"{path}#as")
    gone = (f"{path}/", f"{path}#")
    return {key: text for key, text in typed.items() if key in kept or not (key == path or key.startswith(gone))}


def from_json(shapes: Shapes, schema: Schema, typed: Typed, path: str) -> Typed:
    """Fields instead of JSON text. JSON that cannot be read stays."""
    reading = Reading(shapes, typed)
    value = reading.value(schema, path)
    if reading.problems:
        return typed
    if value is ABSENT:
        return added(shapes, schema, removed(typed, path, marks=False), path)
    return removed(typed, path, marks=False) | typed_of(shapes, schema, value, path)


def settled(shapes: Shapes, schema: Schema, typed: Typed, path: str, depth: int = 0) -> Typed:
    """With what the schema leaves no choice about: the parts that are needed, and fields that have one value only."""
    if f"{path}#json" in typed or depth > DEEPEST:
        return typed
    match shapes.kind(schema):
        case "object" if f"{path}#in" in typed:
            return _settled_object(shapes, schema, typed, path, depth)
        case "list" | "map" if f"{path}#in" in typed:
            opened = shapes.open(schema)
            part = opened.get("extra") or opened.get("items", {})
            for row in rows(typed, path):
                typed = settled(shapes, part, typed | begun_if_new(shapes, part, typed, row), row, depth + 1)
        case "union":
            number, branches = branch_typed(typed, path), shapes.branches(schema)
            if number is not None and number < len(branches):
                new = begun_if_new(shapes, branches[number], typed, path)
                return settled(shapes, branches[number], typed | new, path, depth + 1)
    return typed


def _settled_object(shapes: Shapes, schema: Schema, typed: Typed, path: str, depth: int) -> Typed:
    needed = shapes.required(schema)
    for name, part in shapes.properties(schema).items():
        place, values = step(path, name), shapes.open(part).get("enum", ())
        if name in needed and f"{place}#json" not in typed:
            typed = typed | ({place: str(values[0])} if len(values) == 1 else begun_if_new(shapes, part, typed, place))
        typed = settled(shapes, part, typed, place, depth + 1)
    return typed


def begun_if_new(shapes: Shapes, schema: Schema, typed: Typed, path: str) -> Typed:
    """The marks that the part begins with, where it is not there."""
    return {key: text for key, text in begun(shapes, schema, path).items() if key not in typed}


def part_of(shapes: Shapes, schema: Schema, typed: Typed, path: str, name: str) -> Schema | None:
    """The schema of the part that `name`, an escaped step, names in the field at `path`; None where there is none."""
    match shapes.kind(schema):
        case "object":
            parts = {step("", each)[1:]: part for each, part in shapes.properties(schema).items()}
            return parts.get(name)
        case "map" | "list":
            opened = shapes.open(schema)
            part: Schema = opened.get("extra") or opened.get("items", {})
            return part if name.isascii() and name.isdigit() else None
        case "union":
            number, branches = branch_typed(typed, path), shapes.branches(schema)
            there = number is not None and number < len(branches)
            return part_of(shapes, branches[number or 0], typed, path, name) if there else None
    return None
