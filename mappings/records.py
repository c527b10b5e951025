"""Records of the hub for the editor. They live in a room above, which settings name (`RECORDS`)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

Names = dict[str, dict[str, Any]]


def record(entity: str, key: str) -> dict[str, Any] | None:
    """A record as mappings see it; None where it is not there."""
    found = import_string(settings.RECORDS["named"])(f"{entity}/{key}")
    return {**found, "entity": entity} if found else None


def newest(entity: str) -> list[tuple[str, str]]:
    """Keys and titles of the newest records of an entity."""
    found: list[tuple[str, str]] = import_string(settings.RECORDS["newest"])(entity)
    return found


def names(entity: str) -> Names:
    """`fields` and `custom`: the names that an entity has and its records use, each with a value that one of them has."""
    found: Names = import_string(settings.RECORDS["names"])(entity)
    return found


def some(entity: str) -> tuple[int, list[dict[str, Any]]]:
    """How many records of an entity there are, and the newest of them, as mappings see them."""
    found: tuple[int, list[dict[str, Any]]] = import_string(settings.RECORDS["some"])(entity)
    return found
