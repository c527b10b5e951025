"""What buttons of a form do to what was typed: parts and rows come and go, shapes change, fields become JSON and back."""

from __future__ import annotations

from operations.fields.shapes import Schema, Shapes
from operations.fields.typed import Reading, Typed, as_json, rows, typed_of

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
            return removed(typed, path, marks=False) | {f"{path}#json": as_json(value) if value != {} else "{}"}
        case "fields":
            return from_json(shapes, schema, typed, path)
    raise ValueError(f"No button does {verb!r}.")


def added(shapes: Shapes, schema: Schema, typed: Typed, path: str) -> Typed:
    """With the part there; a list or map that is there already gets one row more."""
    kind, opened = shapes.kind(schema), shapes.open(schema)
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
    return removed(typed, path, marks=False) | typed_of(shapes, schema, value, path)
