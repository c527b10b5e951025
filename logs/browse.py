"""Reading the log: what matches the filters, what is new since, what the pickers offer. Every query here is bounded."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from logs.filters import OPEN, Filters
from logs.models import Call
from logs.states import CALL_STATES
from ui.paging import KeysetPage, keyset_page
from ui.states import final

Calls = QuerySet[Call]

UNFINISHED: Final = sorted(set(CALL_STATES) - set(final(CALL_STATES)))
COUNTED: Final = 1_000
# Text inside a row can only be found by reading rows: the newest ones, so that a search takes no longer in a large log.
SEARCHED: Final = 100_000
OFFERED: Final = 200
LIVE_ROWS: Final = 100
# Rows of several processes do not become visible in the order of their times. Live rows lag by this much, to miss none.
SETTLED: Final = timedelta(seconds=1)
TEXT_COLUMNS: Final = (
    *("correlation_id", "request_id", "object_id", "model", "operation", "path"),
    *("error_code", "error_message", "cause_label", "tags"),
)


@dataclass(frozen=True)
class Count:
    """Up to a thousand is counted, beyond it is only known that there is more."""

    number: int
    more: bool


def matching(filters: Filters) -> Calls:
    """The calls that match every filter, newest first."""
    calls = Call.objects.order_by("-created_at", "-id")
    plain = {
        "installation_id": filters.installation_id,
        "installation_name": filters.installation_name or None,
        "operation": filters.operation or None,
        "model": filters.model or None,
        "cause": filters.cause or None,
        "cause_id": filters.cause_id or None,
        "correlation_id": filters.correlation or None,
        "created_at__gte": filters.start,
        "created_at__lte": filters.end,
    }
    calls = calls.filter(**{column: value for column, value in plain.items() if value is not None})
    if filters.state:
        calls = calls.filter(state__in=UNFINISHED if filters.state == OPEN else [filters.state])
    if filters.http:
        sent = filters.http != (0, 0)
        calls = calls.filter(http_status__range=filters.http) if sent else calls.filter(http_status=None)
    if filters.tag:
        calls = _tagged(calls, filters.tag)
    return _search(calls, filters.text) if filters.text else calls


def counted(calls: Calls, page: KeysetPage[Call] | None = None) -> Count:
    """How many match; `page`, where it holds all that match, saves the database a second search."""
    if page and not page.newer_cursor and not page.older_cursor:
        return Count(len(page.rows), more=False)
    number = calls.order_by()[: COUNTED + 1].count()
    return Count(min(number, COUNTED), number > COUNTED)


def newer_than(calls: Calls, newest: str) -> list[Call]:
    """What came after the call with this id, or all for no id, newest first; at most `LIVE_ROWS` and one more."""
    settled = calls.filter(created_at__lte=timezone.now() - SETTLED)
    if newest:
        key = _as_id(newest)
        edge = Call.objects.filter(pk=key).values_list("created_at", "pk").first() if key else None
        if edge is None:
            return []
        time, pk = edge
        settled = settled.filter(created_at__gte=time).filter(Q(created_at__gt=time) | Q(pk__gt=pk))
    return list(settled[: LIVE_ROWS + 1])


def changed_since(shown: list[str]) -> list[Call]:
    """Which of the unfinished calls that a page shows, given as `id:state`, are in another state by now."""
    states = {key: state for key, _, state in (entry.partition(":") for entry in shown[: 2 * LIVE_ROWS])}
    keys = [key for text in states if (key := _as_id(text))]
    return [call for call in Call.objects.filter(pk__in=keys) if states.get(str(call.pk)) != call.state]


def can_grow(filters: Filters) -> bool:
    """Whether calls made from now on can match."""
    return filters.end is None or filters.end > timezone.now()


def choices_of(column: str) -> list[tuple[str, str]]:
    """The values that stand in this column of the log, for a picker; `(value, value)`."""
    return [(str(value), str(value)) for value, _ in _distinct(column) if value != ""]


def installation_choices() -> list[tuple[str, str]]:
    """`(id, newest name)` of the installations that made a call; deleted ones stand here too."""
    found = [
        (str(value), name or f"Installation {value}") for value, name in _distinct("installation_id", _NEWEST_NAME)
    ]
    return sorted(found, key=lambda choice: choice[1].casefold())


def in_chunks(calls: Calls, most: int | None, size: int = 500) -> Iterator[Call]:
    """All rows in pages, so that no query stays open while a slow reader reads."""
    cursor, left = None, most
    while left is None or left > 0:
        page = keyset_page(calls, cursor, size if left is None else min(size, left))
        yield from page.rows
        cursor, left = page.older_cursor, None if left is None else left - len(page.rows)
        if cursor is None:
            return


def _search(calls: Calls, text: str) -> Calls:
    """A whole id is found wherever it stands; other text within the newest `SEARCHED` calls."""
    exact = Q(request_id=text) | Q(object_id=text) | Q(correlation_id=text)
    if key := _as_id(text):
        exact |= Q(pk=key)
    if Call.objects.filter(exact).exists():
        return calls.filter(exact)
    within = Q(operation__icontains=text.replace(" ", "_"))
    for column in TEXT_COLUMNS:
        within |= Q(**{f"{column}__icontains": text})
    if _is_part_of_id(text):
        within |= Q(id__icontains=text)
    return _newest(calls.filter(within))


def _tagged(calls: Calls, tag: str) -> Calls:
    """The calls with this whole tag among theirs, which stand as `one, two`; within the newest `SEARCHED` calls."""
    among = Q(tags__istartswith=f"{tag}, ") | Q(tags__iendswith=f", {tag}") | Q(tags__icontains=f", {tag}, ")
    return _newest(calls.filter(Q(tags__iexact=tag) | among))


def _newest(calls: Calls) -> Calls:
    oldest = _oldest_searched()
    return calls.filter(created_at__gte=oldest) if oldest else calls


def _oldest_searched() -> datetime | None:
    newest = Call.objects.order_by("-created_at", "-id").values_list("created_at", flat=True)
    return newest[SEARCHED : SEARCHED + 1].first()


def _as_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _is_part_of_id(text: str) -> bool:
    return set(text.lower()) <= set("0123456789abcdef-")


# Jumps from value to value along the column's index: as many steps as there are values, however many rows.
_SKIP_SCAN: Final = """
WITH RECURSIVE found(value) AS (
    SELECT MIN(column_name) FROM logs_call
    UNION ALL
    SELECT (SELECT MIN(column_name) FROM logs_call WHERE column_name > found.value)
    FROM found WHERE found.value IS NOT NULL
)
SELECT value, name_of_value FROM found WHERE value IS NOT NULL LIMIT %s
"""
# The name that the newest call of an installation bears; the index of that column ends in the time.
_NEWEST_NAME: Final = """(
    SELECT installation_name FROM logs_call WHERE installation_id = value ORDER BY created_at DESC, id DESC LIMIT 1
)"""
_INDEXED: Final = ("installation_id", "operation", "model", "cause")


def _distinct(column: str, name: str = "''") -> list[tuple[Any, str]]:
    """`(value, name)`; `name` is the SQL that finds the name of a value."""
    if column not in _INDEXED:
        raise ValueError(f"{column} has no index to jump along.")
    with connection.cursor() as cursor:
        cursor.execute(_SKIP_SCAN.replace("column_name", column).replace("name_of_value", name), [OFFERED])
        return list(cursor.fetchall())
