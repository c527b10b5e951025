"""Many rows in one statement. What a crowd of calls writes goes to the database in a handful of statements, however many they are.

Both statements run on SQLite (3.33 or newer) and PostgreSQL. Values are converted as the models' own fields do it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from django.db import connection, models

# SQLite's own bound on parameters of one statement is 32,766.
MOST_PARAMETERS = 30_000
# Fields whose Python value is what the driver takes.
PLAIN = (models.CharField, models.TextField, models.IntegerField, models.FloatField, models.BooleanField)
Row = Mapping[str, Any]


class Column(NamedTuple):
    """How one field gets into the database: the value to take when a row names none, and the conversion of what it names."""

    name: str
    default: Callable[[], Any]
    to: Callable[[Any], Any]


def insert(model: type[models.Model], rows: Sequence[Row], add_up: str = "", on: Sequence[str] = ()) -> None:
    """Insert rows of `{field name: value}`; fields left out get their defaults.

    A row that is there already, by the unique columns `on`, is left as it is, or has the column `add_up` increased.
    """
    if not rows:
        return
    columns = _columns(model, connection.vendor)
    table, end = _quoted(model._meta.db_table), ""
    if on:
        instead = f"UPDATE SET {add_up} = {table}.{add_up} + excluded.{add_up}" if add_up else "NOTHING"
        end = f" ON CONFLICT ({', '.join(on)}) DO {instead}"
    names = ", ".join(_quoted(column.name) for column in columns)
    values = [[to(row[name]) if name in row else default() for name, default, to in columns] for row in rows]
    for some in _portions(values, len(columns)):
        marks = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(some))
        _run(f"INSERT INTO {table} ({names}) VALUES {marks}{end}", some)  # noqa: S608 - names come from models


def update(model: type[models.Model], rows: Sequence[Row], where: str = "", key: Sequence[str] = ("id",)) -> None:
    """Update each row found by `key` to its other values. All rows name the same fields. `where` is further SQL about `t`."""
    if not rows:
        return
    names = list(rows[0])
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    sets = ", ".join(f"{_quoted(name)} = v.{_quoted(name)}" for name in names if name not in key)
    found = " AND ".join(f"t.{_quoted(name)} = v.{_quoted(name)}" for name in key)
    convert = [_converter(field, connection.vendor) for field in fields]
    values = [[to(row[name]) for to, name in zip(convert, names, strict=True)] for row in rows]
    mark = f"({', '.join(map(_mark, fields))})"
    for some in _portions(values, len(fields)):
        given = f"WITH v({', '.join(map(_quoted, names))}) AS (VALUES {', '.join([mark] * len(some))})"
        there = f"{found} AND {where}" if where else found
        change = f"UPDATE {_quoted(model._meta.db_table)} AS t SET {sets} FROM v WHERE {there}"  # noqa: S608 - as above
        _run(f"{given} {change}", some)


def delete(model: type[models.Model], ids: Sequence[uuid.UUID]) -> None:
    """Delete rows by their primary keys."""
    convert = _converter(model._meta.pk, connection.vendor)
    for some in _portions([[convert(one)] for one in ids], 1):
        marks = ", ".join(["%s"] * len(some))
        _run(f"DELETE FROM {_quoted(model._meta.db_table)} WHERE id IN ({marks})", some)  # noqa: S608 - as above


def execute(sql: str, values: Sequence[Any] = ()) -> Any:
    """Run a statement whose places are marked %s and give its cursor.

    Django's own cursor rewrites the text of each statement each time for SQLite, which takes longer than the statement.
    """
    if connection.vendor != "sqlite":
        cursor = connection.cursor()
        cursor.execute(sql, values)
        return cursor
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return connection.connection.execute(_for_sqlite(sql), values)


@lru_cache(maxsize=1024)
def _for_sqlite(sql: str) -> str:
    return sql.replace("%s", "?")


def _run(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    execute(sql, [value for row in rows for value in row])


def _portions(rows: Sequence[Sequence[Any]], width: int) -> Iterator[Sequence[Sequence[Any]]]:
    step = MOST_PARAMETERS // width
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def _quoted(name: str) -> str:
    return f'"{name}"'


def _mark(field: Any) -> str:
    """PostgreSQL takes the values of a VALUES list for text unless it is told what they are."""
    return f"CAST(%s AS {field.db_type(connection)})" if connection.vendor == "postgresql" else "%s"


@cache
def _columns(model: type[models.Model], vendor: str) -> list[Column]:
    """Every field but a number that the database itself gives out."""
    found = []
    for field in model._meta.concrete_fields:
        if not isinstance(field, models.AutoField):
            found.append(Column(field.attname, _default(field, vendor), _converter(field, vendor)))
    return found


def _default(field: Any, vendor: str) -> Callable[[], Any]:
    to = _converter(field, vendor)
    if callable(field.default):
        return lambda: to(field.get_default())
    constant = to(field.get_default())
    return lambda: constant


@cache
def _converter(field: Any, vendor: str) -> Callable[[Any], Any]:
    """What a field's value is to the driver. The commonest ones have a short way; tests hold them to Django's own."""
    if isinstance(field, PLAIN):
        return _same
    if vendor == "sqlite":
        if isinstance(field, models.UUIDField):
            return lambda value: None if value is None else value.hex
        if isinstance(field, models.DateTimeField):
            return lambda value: None if value is None else _naive(value)
        if isinstance(field, models.JSONField):
            return json.dumps
    return lambda value: field.get_db_prep_save(value, connection)


def _naive(value: datetime) -> str:
    """SQLite keeps times as text, in UTC and without saying so."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


def _same(value: Any) -> Any:
    return value
