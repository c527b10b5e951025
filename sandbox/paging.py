"""Lists as OpenAI pages them: ``limit``, ``after``, ``order`` in; ``first_id``, ``last_id``, ``has_more`` out."""

from typing import Any

from aiohttp import web

from sandbox.errors import Json, bad_request
from sandbox.validation import whole_number


def page(request: web.Request, items: list[Json], *, limit: int = 20, most: int = 100) -> web.Response:
    """One page of `items` (oldest first), newest first unless ``order=asc``."""
    query = request.query
    if query.get("order", "desc") != "asc":
        items = items[::-1]
    size = _limit(query.get("limit"), limit, most)
    start = _after(items, query.get("after"))
    return web.json_response(as_list(items[start : start + size], has_more=len(items) > start + size))


def as_list(data: list[Json], *, has_more: bool = False) -> dict[str, Any]:
    """OpenAI's schema wants both ids to be strings, so an empty page has empty ones."""
    first, last = (data[0]["id"], data[-1]["id"]) if data else ("", "")
    return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": has_more}


def _limit(text: str | None, default: int, most: int) -> int:
    if text is None:
        return default
    limit = whole_number(text)
    if limit is None or not 1 <= limit <= most:
        raise bad_request(f"Invalid 'limit': expected a whole number from 1 to {most}.", "limit", "invalid_value")
    return limit


def _after(items: list[Json], after: str | None) -> int:
    if not after:
        return 0
    for index, item in enumerate(items):
        if item["id"] == after:
            return index + 1
    raise bad_request(f"Invalid 'after': no item with id '{after}' is in this list.", "after", "invalid_value")
