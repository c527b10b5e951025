"""Bodies are held to a table of fields and refused as OpenAI refuses them: 400 with message, param and code."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sandbox.errors import ApiError, Json, bad_request, missing_parameter

KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "decimal": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
NAMES = {str: "string", bool: "boolean", int: "integer", float: "decimal", dict: "object", list: "array"}


class Field(NamedTuple):
    """`kinds` are names of `KINDS`, space-separated. An optional field may also be null."""

    kinds: str
    required: bool = False
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    longest: int | None = None


WHOLE = re.compile(r"[0-9]{1,9}")
Fields = Mapping[str, Field]
METADATA = Field("object")


def check(body: Json, fields: Fields) -> None:
    """Raises ApiError for the first thing that is wrong: unknown, missing, of the wrong type, out of range."""
    for name in body:
        if name not in fields:
            raise bad_request(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    for name, field in fields.items():
        value = body.get(name)
        if value is not None:
            _check_value(name, value, field)
        elif field.required:
            raise missing_parameter(name)
    _check_metadata(body.get("metadata"))


def _check_value(name: str, value: Any, field: Field) -> None:
    if not is_kind(value, field.kinds):
        raise wrong_type(name, value, field.kinds)
    if field.choices and isinstance(value, str) and value not in field.choices:
        raise wrong_value(name, value, field.choices)
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_range(name, value, field)
    if isinstance(value, str | list) and field.longest is not None and len(value) > field.longest:
        raise bad_request(
            f"Invalid '{name}': too long. Expected at most {field.longest}, but got {len(value)} instead.",
            name,
            "string_above_max_length" if isinstance(value, str) else "array_above_max_length",
        )


def _check_range(name: str, value: float, field: Field) -> None:
    kind = "integer" if isinstance(value, int) and "integer" in field.kinds.split() else "decimal"
    for bound, wrong, word, sign in (
        (field.least, field.least is not None and value < field.least, "below minimum", ">="),
        (field.most, field.most is not None and value > field.most, "above maximum", "<="),
    ):
        if wrong:
            raise bad_request(
                f"Invalid '{name}': {kind} {word} value. Expected a value {sign} {bound:g}, but got {value} instead.",
                name,
                f"{kind}_{word.replace('minimum', 'min').replace('maximum', 'max').replace(' ', '_')}_value",
            )


def _check_metadata(metadata: Any) -> None:
    """16 pairs, keys of at most 64 and values of at most 512 characters."""
    if not isinstance(metadata, dict):
        return
    if len(metadata) > 16:
        raise bad_request("Invalid 'metadata': too many properties. Expected at most 16.", "metadata")
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise wrong_type(f"metadata.{key}", value, "string")
        if len(key) > 64 or len(value) > 512:
            raise bad_request("Invalid 'metadata': a key or a value is too long.", "metadata")


def is_kind(value: Any, kinds: str) -> bool:
    accepted = tuple(kind for name in kinds.split() for kind in KINDS[name])
    return isinstance(value, accepted) and (not isinstance(value, bool) or bool in accepted)


def whole_number(text: str | None) -> int | None:
    """A number from a query or a form, or None where it is none."""
    return int(text) if text is not None and WHOLE.fullmatch(text) else None


def wrong_type(name: str, value: Any, kinds: str) -> ApiError:
    expected = " or ".join(kinds.split())
    got = NAMES.get(type(value), "null")
    return bad_request(f"Invalid type for '{name}': expected {expected}, but got {got} instead.", name, "invalid_type")


def wrong_value(name: str, value: str, choices: tuple[str, ...]) -> ApiError:
    supported = ", ".join(f"'{choice}'" for choice in choices)
    return bad_request(f"Invalid value: '{value}'. Supported values are: {supported}.", name, "invalid_value")
