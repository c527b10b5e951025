"""Lookup tables as people edit them: lines of two texts, and CSV. Pure."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from mappings.apply import value_of

MOST = 1000
Line = tuple[str, str]
SEPARATORS = ",;\t"


class TableError(ValueError):
    """What is wrong with a table; the text names the line."""


def read(lines: Iterable[Line]) -> dict[str, Any]:
    """The table that these lines say; blank ones are left out. Raises `TableError`."""
    table: dict[str, Any] = {}
    first: dict[str, int] = {}
    for number, (source, value) in enumerate(lines, start=1):
        source = source.strip()
        if not source and not value.strip():
            continue
        if not source:
            raise TableError(f"Line {number} has no value to look for. Fill it in, or remove the line.")
        if source in first:
            raise TableError(f"Line {number}: “{source}” is in line {first[source]} already. Remove one of the two.")
        table[source], first[source] = value_of(value.strip()), number
    if len(table) > MOST:
        raise TableError(f"The table has {len(table):,} lines, and {MOST:,} are the most. Shorten it.")
    return table


def lines_of(table: dict[str, Any]) -> list[Line]:
    return [(source, written(value)) for source, value in table.items()]


def written(value: Any) -> str:
    """As text where reading gives the same value again, else as JSON."""
    if isinstance(value, str) and value_of(value) == value == value.strip():
        return value
    return json.dumps(value, ensure_ascii=False)


def from_csv(text: str) -> list[Line]:
    """The lines of a CSV text with comma, semicolon or tab, whichever gives most of them two values. Raises `TableError`."""
    text = text.lstrip("\ufeff")
    rows = _rows(text, max(SEPARATORS, key=lambda separator: _fitting(text, separator)))
    lines: list[Line] = []
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                lines.append(_line(row, rows.line_num))
    except csv.Error as error:
        raise TableError(f"Line {rows.line_num} of the CSV can't be read: {error}. Correct it.") from None
    if not lines:
        raise TableError("The CSV has no lines. Give it one for each value: the value to look for, and what to write.")
    if len(lines) > MOST:
        raise TableError(f"The CSV has {len(lines):,} lines, and {MOST:,} are the most. Shorten it.")
    read(lines)
    return lines


def _rows(text: str, separator: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)


def _fitting(text: str, separator: str) -> int:
    """How many lines have two values, as far as the text can be read."""
    found = 0
    with contextlib.suppress(csv.Error):
        for row in _rows(text, separator):
            found += len(row) == 2
    return found


def _line(row: Sequence[str], number: int) -> Line:
    if len(row) != 2:
        count = "1 value" if len(row) == 1 else f"{len(row)} values"
        raise TableError(f"Line {number} of the CSV has {count}. Write two: the value to look for, and what to write.")
    return row[0].strip(), row[1].strip()


def merged(old: Sequence[Line], new: Sequence[Line]) -> list[Line]:
    """Old and new lines; where both look for the same, the new one stands in its place."""
    fresh = {source: (source, value) for source, value in new}
    kept = [fresh.pop(source.strip(), (source, value)) for source, value in old if source.strip() or value.strip()]
    return [*kept, *fresh.values()]
