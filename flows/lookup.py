"""Records by name, for rooms that may not import this one: settings name these functions."""

from __future__ import annotations

from typing import Any

from flows.models import Record

MOST = 50


def named(name: str) -> dict[str, Any] | None:
    """The record that Entity/key names, as mappings see it; None where there is none."""
    entity, _, key = name.replace("\0", "").partition("/")
    record = Record.objects.filter(entity__name=entity.strip(), key=key.strip()).first()
    return {"key": record.key, "fields": record.fields, "custom": record.custom} if record else None


def recent() -> list[tuple[str, str]]:
    """The newest records, as names and titles."""
    rows = Record.objects.select_related("entity").order_by("-pk")[:MOST]
    return [(f"{row.entity.name}/{row.key}", row.title) for row in rows]
