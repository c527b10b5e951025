"""Records by name, for rooms that may not import this one: settings name these functions."""

from __future__ import annotations

from typing import Any

from flows.models import Entity, Record

MOST = 50
# So many records are asked which fields there are.
LOOKED_AT = 20
# So many are tried on a filter that is being typed.
COUNTED = 200


def named(name: str) -> dict[str, Any] | None:
    """The record that Entity/key names, as mappings see it; None where there is none."""
    entity, _, key = name.replace("\0", "").partition("/")
    record = Record.objects.filter(entity__name=entity.strip(), key=key.strip()).first()
    return {"key": record.key, "fields": record.fields, "custom": record.custom} if record else None


def recent() -> list[tuple[str, str]]:
    """The newest records, as names and titles."""
    rows = Record.objects.select_related("entity").order_by("-pk")[:MOST]
    return [(f"{row.entity.name}/{row.key}", row.title) for row in rows]


def newest(entity: str) -> list[tuple[str, str]]:
    """Keys and titles of the newest records of an entity."""
    return list(Record.objects.of(entity).order_by("-changed_at", "-pk").values_list("key", "title")[:MOST])


def names(entity: str) -> dict[str, dict[str, Any]]:
    """The names of an entity's fields, standard and custom, each with a value that a record has there, if any has.

    Those of the form come first, then those that only records have.
    """
    kind = Entity.objects.filter(name=entity).first()
    found: dict[str, dict[str, Any]] = {
        "fields": {each["name"]: None for each in (kind.fields if kind else ())},
        "custom": {each["name"]: None for each in (kind.custom_fields if kind else ())},
    }
    rows = Record.objects.of(entity).order_by("-changed_at", "-pk").values_list("fields", "custom")[:LOOKED_AT]
    for row in rows:
        for part, values in zip(found.values(), row, strict=True):
            for name, value in values.items():
                if part.get(name) in (None, ""):
                    part[name] = value
    return found


def some(entity: str) -> tuple[int, list[dict[str, Any]]]:
    """How many records of an entity there are, and the newest of them, as mappings see them."""
    rows = Record.objects.of(entity).order_by("-changed_at", "-pk")
    seen = [
        {"key": row.key, "fields": row.fields, "custom": row.custom, "entity": entity}
        for row in rows.only("key", "fields", "custom")[:COUNTED]
    ]
    return rows.count(), seen
