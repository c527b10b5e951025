"""Calls as rows for other programs: one flat record each, as JSON lines, one JSON list, or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from logs.models import Call

COLUMNS: Final = tuple(field.attname for field in Call._meta.concrete_fields)
# What spreadsheets take for the beginning of a formula.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Plain = str | int | bool | None


def record(call: Call) -> dict[str, Plain]:
    """Column to value; times as ISO 8601 in UTC, ids and the cost (US dollars) as text."""
    return {column: _plain(getattr(call, column)) for column in COLUMNS}


def json_lines(calls: Iterable[Call]) -> Iterator[str]:
    return (json.dumps(record(call), ensure_ascii=False) + "\n" for call in calls)


def json_list(calls: Iterable[Call]) -> Iterator[str]:
    separator = "[\n"
    for call in calls:
        yield separator + json.dumps(record(call), ensure_ascii=False)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def csv_lines(calls: Iterable[Call]) -> Iterator[str]:
    yield _csv_line(COLUMNS)
    for call in calls:
        yield _csv_line([_no_formula(value) for value in record(call).values()])


FORMATS: Final[dict[str, Callable[[Iterable[Call]], Iterator[str]]]] = {
    "jsonl": json_lines,
    "json": json_list,
    "csv": csv_lines,
}


def _plain(value: object) -> Plain:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, UUID) else value  # type: ignore[return-value]  # the other columns are plain


def _no_formula(value: Plain) -> Plain:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _csv_line(values: Iterable[Plain]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()
