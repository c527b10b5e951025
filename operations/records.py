"""Records for expressions in forms. They live in a room above, which settings name (`RECORDS`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


def named(name: str) -> Mapping[str, Any] | None:
    """The parts of a record, `key`, `fields` and `custom`, by its entity and key: Product/SKU-1. None where it is not there."""
    found: Mapping[str, Any] | None = import_string(settings.RECORDS["named"])(name)
    return found


def recent() -> list[tuple[str, str]]:
    """Names of the newest records, with their titles."""
    found: list[tuple[str, str]] = import_string(settings.RECORDS["recent"])()
    return found
