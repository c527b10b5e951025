"""Lists that come in pages: how the next one is asked for, and where there is none. Pure.

OpenAI has two ways. Most lists take `after`, some `before` too, and say `has_more` with `last_id` and `first_id`, or `next`;
usage and costs take `page` and say `next_page`. GET /models has no pages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from openai_api.catalogue import Operation, Parameter
from operations.asking import Asked

WAYS = ("after", "page")
PAGE_SIZE = 100
MOST_ITEMS, MOST_PAGES = 100_000, 1000


class NoList(Exception):
    """The answer holds no list. The message says so."""

    def __init__(self) -> None:
        super().__init__("The answer has no list in its field data, so there is nothing to follow.")


@dataclass(frozen=True)
class Page:
    """`cursor` is what the next page is asked for with, empty where the answer names none; `more` is what the answer says."""

    items: list[Any]
    cursor: str
    more: bool


def has_pages(operation: Operation) -> bool:
    return operation.method == "GET" and any(way in _query(operation) for way in WAYS)


def parameter_of(operation: Operation, asked: Asked) -> str:
    """The parameter that takes the cursor: `before` where the list is asked for backwards from one, else the operation's."""
    given, known = {name for name, _ in asked.query}, _query(operation)
    if "before" in given and "after" not in given:
        return "before"
    return next(way for way in WAYS if way in known)


def first(operation: Operation, asked: Asked, most_items: int) -> Asked:
    """The request for the first page: as large as the operation's pages may be, unless the query says how large."""
    limit = _query(operation).get("limit")
    if limit is None or any(name == "limit" for name, _ in asked.query):
        return asked
    most = limit.schema.get("maximum", PAGE_SIZE if "after" in _query(operation) else 0)
    size = min(most_items, PAGE_SIZE, most)
    return replace(asked, query=(*asked.query, ("limit", str(size)))) if size else asked


def at(asked: Asked, parameter: str, cursor: str) -> Asked:
    """The request for the page at a cursor; an empty one is the first."""
    if not cursor:
        return asked
    rest = tuple(pair for pair in asked.query if pair[0] != parameter)
    return replace(asked, query=(*rest, (parameter, cursor)))


def start_of(asked: Asked, parameter: str) -> str:
    """The cursor with which the first page is asked for; mostly empty."""
    return next((value for name, value in asked.query if name == parameter), "")


def read(body: Any, parameter: str) -> Page:
    """A page of an answer. Raises NoList."""
    items = body.get("data") if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise NoList
    more = body.get("has_more")
    named = _named(body, parameter)
    if more is None:
        more = bool(named) and parameter == "page"
    return Page(items, named or _by_id(items, parameter), more is True)


def _named(body: dict[str, Any], parameter: str) -> str:
    names = {"page": ("next_page",), "before": ("first_id",), "after": ("next", "last_id")}[parameter]
    return next((body[name] for name in names if isinstance(body.get(name), str)), "")


def _by_id(items: list[Any], parameter: str) -> str:
    """Lists that say only that there is more go on from their outermost item."""
    if parameter == "page" or not items:
        return ""
    item = items[0 if parameter == "before" else -1]
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, str) else ""


def _query(operation: Operation) -> dict[str, Parameter]:
    return {each.name: each for each in operation.parameters if each.place == "query"}
