"""Dotted paths into documents: `fields.name`, ``custom.`with.dots` ``, `response.output.0.type`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

NAME = re.compile(r"[^\W\d]\w*")
PART = re.compile(r"`([^`]+)`|([^.`]+)")
MISSING = object()


class PathError(ValueError):
    """A path that cannot be read, or a place that cannot be written."""


def parts_of(path: str) -> list[str]:
    """The names of a path. Raises `PathError` for an empty one, and for empty names between dots."""
    found = [quoted or plain for quoted, plain in PART.findall(path)]
    bare = PART.sub("", path)
    if not path.strip():
        raise PathError("No field is named. Write its path, such as fields.name.")
    if not found or bare != "." * (len(found) - 1):
        raise PathError(f"{path!r} is not a path. Write names with dots between them, such as fields.name.")
    return found


def written(parts: Iterable[str]) -> str:
    """Names as a path that mappings and formulas both can read."""
    return ".".join(part if NAME.fullmatch(part) else f"`{part}`" for part in parts)


def get(document: Any, path: str) -> Any:
    """The value at a path; None where there is none."""
    here = document
    for part in parts_of(path):
        here = _step(here, part)
        if here is MISSING:
            return None
    return here


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Write a value, making the objects on the way. Raises `PathError` where something else is in the way."""
    *way, last = parts_of(path)
    here = document
    for part in way:
        here = here.setdefault(part, {})
        if not isinstance(here, dict):
            raise PathError(f"{path} cannot be written: {part} already holds a value that has no fields.")
    here[last] = value


def _step(here: Any, part: str) -> Any:
    if isinstance(here, dict):
        return here.get(part, MISSING)
    if isinstance(here, list) and part.isascii() and part.isdigit() and int(part) < len(here):
        return here[int(part)]
    return MISSING
