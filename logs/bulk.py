"""Many rows by one statement. What a crowd of calls writes goes to the database in a handful of statements, however many they are:
SQLite takes the rows of each one by one, PostgreSQL all in one. Statements run on SQLite (3.33 or newer) and PostgreSQL.
Values are converted as the models' own fields do it.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache, partial
from operator import itemgetter
from typing import Any

import orjson
from django.db import connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.fields import NOT_PROVIDED

# PostgreSQL's own bound on parameters of one statement is 65,535.
MOST_PARAMETERS = 30_000
# Fields whose Python value is what the driver takes.
PLAIN = (models.CharField, models.TextField, models.IntegerField, models.FloatField, models.BooleanField)
Row = Mapping[str, Any]
Convert = Callable[[Any], Any]


class Shape:
    """How rows that name the same fields, in the same order, get into a table: those columns, then all others with the
    defaults of their fields.

    A default that is always the same is written into the statement: to hand over a value takes as long as to store it.
    """

    def __init__(self, model: type[models.Model], vendor: str, names: tuple[str, ...]) -> None:
        # Every field but a number that the database itself gives out.
        fields = {one.attname: one for one in model._meta.concrete_fields if not isinstance(one, models.AutoField)}
        rest = [field for name, field in fields.items() if name not in names]
        literals = {field.attname: literal for field in rest if (literal := _literal(field)) is not None}
        made = [field for field in rest if field.attname not in literals]
        given = (*names, *(field.attname for field in made))
        self.columns = (*given, *literals)
        self.values_of_one = ", ".join([*(["%s"] * len(given)), *literals.values()])
        self._converters = _converters(model, vendor, names)
        self._made = [(field.get_default, _converter(field, vendor)) for field in made]

    def values(self, row: Row) -> list[Any]:
        """What the driver takes for a row of `{field name: value}`, as the marks stand."""
        found = list(row.values())
        _convert(found, self._converters)
        if self._made:
            found += [make() if convert is None else convert(make()) for make, convert in self._made]
        return found


def _literal(field: Any) -> str | None:
    """A field's default as SQL writes it, None for one that is made anew each time or has no such form."""
    if callable(field.default) and field.default not in (NOT_PROVIDED, dict, list):
        return None
    value = field.get_default()
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dict | list):
        value = json.dumps(value)
    if isinstance(value, str) and not {"'", "%"} & set(value):
        return f"'{value}'"
    return repr(value) if isinstance(value, int | float) else None


def insert(model: type[models.Model], rows: Sequence[Row], add_up: str = "", on: Sequence[str] = ()) -> None:
    """Insert rows of `{field name: value}`; fields left out get their defaults.

    A row that is there already, by the unique columns `on`, is left as it is, or has the column `add_up` increased.
    """
    for names, some in _alike(rows):
        shape = _shape(model, _here().vendor, names)
        _run(partial(_insertion, model, shape, add_up, tuple(on)), [shape.values(row) for row in some])


@lru_cache(maxsize=1024)
def _insertion(model: type[models.Model], shape: Shape, add_up: str, on: tuple[str, ...], rows: int) -> str:
    table, end = _quoted(model._meta.db_table), ""
    if on:
        instead = f"UPDATE SET {add_up} = {table}.{add_up} + excluded.{add_up}" if add_up else "NOTHING"
        end = f" ON CONFLICT ({', '.join(on)}) DO {instead}"
    names = ", ".join(map(_quoted, shape.columns))
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([f'({shape.values_of_one})'] * rows)}{end}"  # noqa: S608 - names come from models


def update(model: type[models.Model], rows: Sequence[Row], where: str = "", key: Sequence[str] = ("id",)) -> None:
    """Update each row found by `key` to its other values. `where` is further SQL about `t`."""
    vendor = _here().vendor
    for given, some in _alike(rows):
        names = (*(name for name in given if name not in key), *key)
        converters, ordered = _converters(model, vendor, names), itemgetter(*names)
        values = [list(ordered(row)) for row in some]
        for row in values:
            _convert(row, converters)
        _run(partial(_change, model, vendor, names, where, tuple(key)), values)


def _alike(rows: Sequence[Row]) -> Iterable[tuple[tuple[str, ...], list[Row]]]:
    """Rows together that name the same fields in the same order, as one statement needs them."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    last: tuple[str, ...] = ()
    alike: list[Row] = []
    for row in rows:
        names = tuple(row)
        if names != last:  # nearly always they are, and to compare is quicker than to look up
            last, alike = names, groups.setdefault(names, [])
        alike.append(row)
    return groups.items()


def _convert(values: list[Any], converters: Sequence[tuple[int, Convert]]) -> None:
    for place, convert in converters:
        values[place] = convert(values[place])


@lru_cache(maxsize=1024)
def _change(
    model: type[models.Model], vendor: str, names: tuple[str, ...], where: str, key: tuple[str, ...], rows: int
) -> str:
    """`names` end with those of the key. One row alone needs no table of values, which costs as much as the change."""
    table = f"{_quoted(model._meta.db_table)} AS t"
    marks = {name: _mark(model._meta.get_field(name), vendor) for name in names}
    value = marks if rows == 1 else {name: f"v.{_quoted(name)}" for name in names}
    sets = ", ".join(f"{_quoted(name)} = {value[name]}" for name in names if name not in key)
    there = " AND ".join([*(f"t.{_quoted(name)} = {value[name]}" for name in key), *([where] if where else [])])
    if rows == 1:
        return f"UPDATE {table} SET {sets} WHERE {there}"  # noqa: S608 - names come from models
    row = f"({', '.join(marks.values())})"
    given = f"WITH v({', '.join(map(_quoted, names))}) AS (VALUES {', '.join([row] * rows)})"
    return f"{given} UPDATE {table} SET {sets} FROM v WHERE {there}"  # noqa: S608 - as above


def delete(model: type[models.Model], ids: Sequence[uuid.UUID]) -> None:
    """Delete rows by their primary keys."""
    convert = _converter(model._meta.pk, _here().vendor)
    _run(partial(_deletion, model), [[one if convert is None else convert(one)] for one in ids])


@lru_cache(maxsize=1024)
def _deletion(model: type[models.Model], rows: int) -> str:
    marks = ", ".join(["%s"] * rows)
    return f"DELETE FROM {_quoted(model._meta.db_table)} WHERE id IN ({marks})"  # noqa: S608 - as above


def execute(sql: str, values: Sequence[Any] = ()) -> Any:
    """Run a statement whose places are marked %s and give its cursor.

    Django's own cursor rewrites the text of each statement each time for SQLite, which takes longer than the statement.
    """
    here = _here()
    if here.vendor != "sqlite":
        cursor = here.cursor()
        cursor.execute(sql, values)
        return cursor
    with here.wrap_database_errors:
        return _sqlite(here).execute(_for_sqlite(sql), values)


def _sqlite(here: BaseDatabaseWrapper) -> Any:
    if here.connection is None:
        here.ensure_connection()
    return here.connection


class _Mine(threading.local):
    """This thread's connection to the database. Django keeps one for each thread as well, and asks around for it each time."""

    connection: BaseDatabaseWrapper | None = None


_mine = _Mine()


def _here() -> BaseDatabaseWrapper:
    found = _mine.connection
    if found is None:
        found = _mine.connection = connections["default"]
    return found


@lru_cache(maxsize=4096)
def _for_sqlite(sql: str) -> str:
    return sql.replace("%s", "?")


def _run(statement: Callable[[int], str], rows: Sequence[Sequence[Any]]) -> None:
    """Run `statement(number of rows)` for all rows. What SQLite charges for is the text of a statement, which it has to read
    anew for each number of rows; what PostgreSQL charges for is the way there and back."""
    here = _here()
    if not rows:
        return
    if here.vendor == "sqlite":
        with here.wrap_database_errors:
            _sqlite(here).executemany(_for_sqlite(statement(1)), rows)
        return
    step = MOST_PARAMETERS // len(rows[0])
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        execute(statement(len(some)), [value for row in some for value in row])


def _quoted(name: str) -> str:
    return f'"{name}"'


def _mark(field: Any, vendor: str) -> str:
    """PostgreSQL takes the values of a VALUES list for text unless it is told what they are."""
    return f"CAST(%s AS {field.db_type(connection)})" if vendor == "postgresql" else "%s"


@cache
def _shape(model: type[models.Model], vendor: str, names: tuple[str, ...]) -> Shape:
    return Shape(model, vendor, names)


@cache
def _converters(model: type[models.Model], vendor: str, names: tuple[str, ...]) -> list[tuple[int, Convert]]:
    """`(place, converter)` of the columns that the driver does not take as they are."""
    found = [(place, _converter(model._meta.get_field(name), vendor)) for place, name in enumerate(names)]
    return [(place, convert) for place, convert in found if convert is not None]


def _stored(field: Any, vendor: str, value: Any) -> Any:
    convert = _converter(field, vendor)
    return value if convert is None else convert(value)


@cache
def _converter(field: Any, vendor: str) -> Convert | None:
    """What makes of a field's value what the driver takes, None for nothing. The commonest kinds have a short way on SQLite;
    tests hold them to Django's own."""
    if vendor == "sqlite" and isinstance(field, models.BooleanField) and not field.null:
        return int  # the driver looks long for what it may take that is no plain number
    if isinstance(field, PLAIN):
        return None
    if vendor == "sqlite":
        if isinstance(field, models.UUIDField):
            return _hex
        if isinstance(field, models.DateTimeField):
            return _naive
        if isinstance(field, models.JSONField):
            return _json
        if isinstance(field, models.DecimalField):
            return _text
    return lambda value: field.get_db_prep_save(value, connection)


def ready(value: uuid.UUID | datetime) -> Any:
    """An id or a time as the driver takes it: worth it for one that stands in many rows."""
    if _here().vendor != "sqlite":
        return value
    return value.hex if isinstance(value, uuid.UUID) else _naive(value)


class Moments:
    """A time and others shortly before it, as the driver takes them. To write a time as text takes SQLite longer than to store it:
    within the same second only its digits change."""

    def __init__(self, time: datetime) -> None:
        self._time = time
        self.now = ready(time)
        self._second, _, _ = self.now.partition(".") if isinstance(self.now, str) else ("", "", "")

    def ago(self, seconds: float) -> Any:
        micros = self._time.microsecond - round(seconds * 1_000_000)
        if self._second and micros > 0:
            return f"{self._second}.{micros:06}"
        return ready(self._time - timedelta(seconds=seconds))


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # what only Python's own writes: whole numbers of any size, names that are no text
        return json.dumps(value)


def _hex(value: uuid.UUID | str | None) -> str | None:
    return value.hex if isinstance(value, uuid.UUID) else value


def _naive(value: datetime | str | None) -> str | None:
    """SQLite keeps times as text, in UTC and without saying so."""
    if not isinstance(value, datetime):
        return value
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat(" ")[:-6]


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
