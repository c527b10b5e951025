"""What is wrong with a value before it is sent: type, bounds, choices, what is needed. One sentence each, beside its field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from openai_api.catalogue.shapes import ANYTHING, Schema, Shapes, step

Problem = tuple[str, str]
NAMES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
}
EMPTY = "This is empty, and the operation needs it. Enter it."
NO_FILE = "No file is chosen, and the operation needs one. Choose it."


def problems(
    shapes: Shapes, schema: Schema, value: Any, path: str, chosen: Mapping[str, int] | None = None
) -> Iterator[Problem]:
    """Path and sentence of each problem. `chosen` is which shape of a union a person chose, by its path."""
    yield from _Checking(shapes, chosen or {}).check(schema, value, path)


def branch_of(shapes: Shapes, schema: Schema, value: Any) -> int:
    """The shape of a union that the value has, or else the one it comes nearest to."""
    found = [(_distance(shapes, branch, value), number) for number, branch in enumerate(shapes.branches(schema))]
    return min(found)[1]


def _distance(shapes: Shapes, branch: Schema, value: Any) -> int:
    """How far the value is from a shape: another type, other constants, unknown fields, other problems."""
    if not _is_of(shapes.open(branch).get("type"), value):
        return 1000
    wrong = len(list(problems(shapes, branch, value, "")))
    if not isinstance(value, dict):
        return wrong
    needed, known = shapes.required(branch), shapes.properties(branch)
    for name, one in shapes.constants(branch).items():
        wrong += 100 if name in value and value[name] != one else 1 if name in needed and name not in value else 0
    return wrong + (2 * len(value.keys() - known.keys()) if known else 0)


class _Checking:
    def __init__(self, shapes: Shapes, chosen: Mapping[str, int]) -> None:
        self.shapes, self.chosen = shapes, chosen

    def check(self, schema: Schema, value: Any, path: str) -> Iterator[Problem]:
        schema = self.shapes.open(schema)
        if value is None and schema.get("null"):
            return
        if self.shapes.kind(schema) == "file":
            yield from [] if _is_file(value) else [(path, "This must be a file. Choose one.")]
        elif "anyOf" in schema:
            branches = self.shapes.branches(schema)
            number = self.chosen.get(path, -1)
            branch = branches[number if 0 <= number < len(branches) else branch_of(self.shapes, schema, value)]
            yield from self.check(branch, value, path)
        elif not _is_of(schema.get("type"), value):
            yield path, f"This is {_name_of(value)}, where {NAMES[schema['type']]} belongs. Enter that."
        else:
            yield from self._of_type(schema, value, path)

    def _of_type(self, schema: Schema, value: Any, path: str) -> Iterator[Problem]:
        if schema.get("enum") and value not in schema["enum"]:
            yield (
                path,
                f"“{str(value)[:60]}” is none of the values it may have. Choose one of {listed(schema['enum'])}.",
            )
        elif isinstance(value, str):
            yield from _text(schema, value, path)
        elif isinstance(value, dict):
            yield from self._object(schema, value, path)
        elif isinstance(value, list):
            yield from self._list(schema, value, path)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield from _number(schema, value, path)

    def _object(self, schema: Schema, value: dict[str, Any], path: str) -> Iterator[Problem]:
        known = self.shapes.properties(schema)
        for name in known:
            if name in value:
                yield from self.check(known[name], value[name], step(path, name))
            elif name in self.shapes.required(schema) and "default" not in self.shapes.open(known[name]):
                yield step(path, name), NO_FILE if self.shapes.kind(known[name]) == "file" else EMPTY
        either = schema.get("either", ())
        if either and not any(all(name in value for name in names) for names in either):
            words = " or ".join(" and ".join(names) for names in either)
            yield step(path, either[0][0]), f"One of these is needed: {words}. Fill in one."
        extra = schema.get("extra")
        for number, name in enumerate(each for each in value if each not in known):
            if isinstance(extra, Mapping):
                yield from self.check(extra, value[name], step(path, number))
            elif extra is False:
                yield path, f"“{name}” is no field of this. Take it out, or correct its name."
        most = schema.get("maxProperties")
        if most is not None and len(value) > most:
            yield path, f"{len(value)} rows are more than {most}. Take some out."

    def _list(self, schema: Schema, value: list[Any], path: str) -> Iterator[Problem]:
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if len(value) < least:
            yield path, f"This needs at least {_counted(least, 'row')} and has {len(value)}. Add what is missing."
        if most is not None and len(value) > most:
            yield path, f"{len(value)} rows are more than the {most} it may have. Remove some."
        for number, part in enumerate(value):
            yield from self.check(schema.get("items", ANYTHING), part, step(path, number))


def _text(schema: Schema, value: str, path: str) -> Iterator[Problem]:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        yield path, "This holds half of a character, which cannot be sent. Write the text anew."
    elif len(value) < least:
        yield path, f"This has {_counted(len(value), 'character')} and needs at least {least}. Write more."
    elif most is not None and len(value) > most:
        yield path, f"This has {len(value):,} characters, more than the {most:,} it may have. Shorten it."
    elif schema.get("pattern") and not _matches(schema["pattern"], value):
        yield path, f"This does not have the form that is needed: {schema['pattern']}. Correct it."


def _number(schema: Schema, value: float, path: str) -> Iterator[Problem]:
    least, most = schema.get("minimum"), schema.get("maximum")
    under, over = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if (least is not None and value < least) or (under is not None and value <= under):
        yield path, f"{value} is too little. Enter {bounds(schema)}."
    elif (most is not None and value > most) or (over is not None and value >= over):
        yield path, f"{value} is too much. Enter {bounds(schema)}."


def bounds(schema: Schema) -> str:
    """`0 to 2`, `at least 1`, `more than 0`; empty where a number has no bounds."""
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"{least:,} to {most:,}"
    words = [
        ("at least", least),
        ("at most", most),
        ("more than", schema.get("exclusiveMinimum")),
        ("less than", schema.get("exclusiveMaximum")),
    ]
    return " and ".join(f"{word} {number:,}" for word, number in words if number is not None)


def listed(values: list[Any], most: int = 8) -> str:
    shown = ", ".join(str(value) for value in values[:most])
    return f"{shown} and {len(values) - most} more" if len(values) > most else shown


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _matches(pattern: str, value: str) -> bool:
    """A pattern that Python cannot read refuses nothing: OpenAI will say."""
    try:
        return re.search(pattern, value[:10_000]) is not None
    except re.error:
        return True


def _is_file(value: Any) -> bool:
    return hasattr(value, "path") and hasattr(value, "name")


def _is_of(kind: str | None, value: Any) -> bool:
    match kind:
        case None:
            return True
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "array":
            return isinstance(value, list)
    return isinstance(value, dict)


def _name_of(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "boolean", str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return NAMES.get(kinds.get(type(value), ""), "a file")
