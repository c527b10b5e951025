"""Many rows in one statement. What a crowd of calls writes goes to the database in a handful of statements, however many they are.

Both statements run on SQLite (3.33 or newer) and PostgreSQL. Values are converted by the model's own fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection, models

# SQLite's own bound on parameters of one statement is 32,766.
MOST_PARAMETERS = 30_000
# Fields whose Python value is what the driver takes.
PLAIN = (models.CharField, models.TextField, models.IntegerField, models.FloatField, models.BooleanField)
Row = Mapping[str, Any]


def insert(model: type[models.Model], rows: Sequence[Row], add_up: str = "", on: Sequence[str] = ()) -> None:
    """Insert rows of `{field name: value}`; fields left out get their defaults.

    A row that is there already, by the unique columns `on`, is left as it is, or has the column `add_up` increased.
    """
    if not rows:
        return
    fields = _fields(model)
    columns = ", ".join(_quoted(field.column) for field in fields)
    table, end = _quoted(model._meta.db_table), ""
    if on:
        instead = f"UPDATE SET {add_up} = {table}.{add_up} + excluded.{add_up}" if add_up else "NOTHING"
        end = f" ON CONFLICT ({', '.join(on)}) DO {instead}"
    values = [_complete(model, row) for row in rows]
    for some in _portions(values, len(fields)):
        marks = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(some))
        _run(f"INSERT INTO {table} ({columns}) VALUES {marks}{end}", some)  # noqa: S608 - names come from models


def update(model: type[models.Model], rows: Sequence[Row], where: str = "", key: Sequence[str] = ("id",)) -> None:
    """Update each row found by `key` to its other values. All rows name the same fields. `where` is further SQL about `t`."""
    if not rows:
        return
    names = list(rows[0])
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    sets = ", ".join(f"{_quoted(f.column)} = v.{_quoted(f.column)}" for f in fields if f.name not in key)
    found = " AND ".join(f"t.{_quoted(f.column)} = v.{_quoted(f.column)}" for f in fields if f.name in key)
    head = ", ".join(_quoted(field.column) for field in fields)
    table = _quoted(model._meta.db_table)
    convert = [_converter(field) for field in fields]
    values = [[to(row[name]) for to, name in zip(convert, names, strict=True)] for row in rows]
    for some in _portions(values, len(fields)):
        marks = ", ".join([f"({', '.join(map(_mark, fields))})"] * len(some))
        tail = f" AND {where}" if where else ""
        there = f"UPDATE {table} AS t SET {sets} FROM v WHERE {found}{tail}"  # noqa: S608 - names come from models
        _run(f"WITH v({head}) AS (VALUES {marks}) {there}", some)


def _run(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for row in rows for value in row])


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
def _fields(model: type[models.Model]) -> list[Any]:
    """Every field but a number that the database itself gives out."""
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]


def _converter(field: Any) -> Callable[[Any], Any]:
    if isinstance(field, PLAIN):
        return _same
    return lambda value: field.get_db_prep_save(value, connection)


def _same(value: Any) -> Any:
    return value


@cache
def _plan(model: type[models.Model]) -> list[tuple[str, Callable[[], Any], Callable[[Any], Any]]]:
    return [(field.attname, field.get_default, _converter(field)) for field in _fields(model)]


def _complete(model: type[models.Model], row: Row) -> list[Any]:
    return [to(row[name] if name in row else default()) for name, default, to in _plan(model)]
