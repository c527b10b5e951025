"""Pages by keyset: a cursor names the row at the edge of a page, so that page 1,000 costs what page 1 costs and rows
that arrive meanwhile neither repeat nor hide any. For QuerySets in the order newest first, by time and then by id.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)
OLDER, NEWER = "o", "n"


@dataclass(frozen=True)
class KeysetPage(Generic[Row]):
    """Rows, newest first, and the cursors of the pages on both sides; None where there is no page."""

    rows: list[Row]
    older_cursor: str | None
    newer_cursor: str | None


@dataclass(frozen=True)
class Edge:
    """The place beside a row, and the side to look to."""

    side: str
    time: datetime
    pk: Any


def keyset_page(
    queryset: QuerySet[Row], cursor: str | None, size: int = 50, time_field: str = "created_at"
) -> KeysetPage[Row]:
    """The page that `cursor` names; the first page for no cursor, a bad one, or one beside which no row is left.

    `time_field` must not be null and wants an index together with the primary key.
    """
    edge = read_cursor(queryset.model, cursor)
    page = _page(queryset, edge, size, time_field)
    return page if page.rows or edge is None else _page(queryset, None, size, time_field)


def write_cursor(side: str, row: Model, time_field: str) -> str:
    """An opaque text of letters, digits, `-` and `_`."""
    time: datetime = getattr(row, time_field)
    plain = f"{side}|{time.astimezone(UTC).isoformat()}|{row.pk}"
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(model: type[Model], cursor: str | None) -> Edge | None:
    """The edge that a cursor names, or None for one that we cannot have written."""
    if not cursor or len(cursor) > 200:
        return None
    try:
        plain = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode()
        side, time, pk = plain.split("|")
        edge = Edge(side, datetime.fromisoformat(time).astimezone(UTC), model._meta.pk.to_python(pk))
    except (ValueError, OverflowError, ValidationError):
        return None
    return edge if side in (OLDER, NEWER) and _storable(edge.pk) else None


def _storable(pk: object) -> bool:
    return not isinstance(pk, int) or 0 <= pk < 2**63


def _page(queryset: QuerySet[Row], edge: Edge | None, size: int, time_field: str) -> KeysetPage[Row]:
    backwards = edge is not None and edge.side == NEWER
    order = [time_field, "pk"] if backwards else [f"-{time_field}", "-pk"]
    beside = queryset if edge is None else queryset.filter(_beside(edge, time_field))
    found = list(beside.order_by(*order)[: size + 1])
    more, rows = len(found) > size, found[:size]
    if backwards:
        rows.reverse()
    has_older, has_newer = (True, more) if backwards else (more, edge is not None)
    return KeysetPage(
        rows,
        write_cursor(OLDER, rows[-1], time_field) if rows and has_older else None,
        write_cursor(NEWER, rows[0], time_field) if rows and has_newer else None,
    )


def _beside(edge: Edge, time_field: str) -> Q:
    """Rows strictly on one side. The first condition is redundant: it lets the database start from the index."""
    way = "lt" if edge.side == OLDER else "gt"
    near = Q(**{f"{time_field}__{way}e": edge.time})
    return near & (Q(**{f"{time_field}__{way}": edge.time}) | Q(**{f"pk__{way}": edge.pk}))
