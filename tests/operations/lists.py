"""A far side that has lists, in the ways in which OpenAI gives them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from connections.models import Installation
from logs.audit import Actor
from operations.asking import Asked
from operations.lists import actions, following
from operations.models import Listing

OMAR = Actor("omar")
FILES = Asked("GET", "/files", operation="list_files", response_type="json")
Answering = Callable[[int, httpx.Request], httpx.Response | None]


class Files:
    """So many files, `file-0` and on, listed by `limit` and `after`. `instead` may answer request number n otherwise."""

    def __init__(self, count: int, instead: Answering = lambda number, request: None) -> None:
        self.count, self.instead = count, instead
        self.queries: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.queries.append(dict(request.url.params))
        return self.instead(len(self.queries), request) or self.page(request)

    def page(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params
        begin = int(query["after"].removeprefix("file-")) + 1 if "after" in query else 0
        end = min(begin + int(query.get("limit", 20)), self.count)
        found = [{"id": f"file-{number}", "object": "file"} for number in range(begin, end)]
        return listed(found, more=end < self.count)


def listed(found: list[Any], more: bool, **over: Any) -> httpx.Response:
    edges = {"first_id": found[0]["id"], "last_id": found[-1]["id"]} if found else {}
    return httpx.Response(200, json={"object": "list", "data": found, "has_more": more, **edges, **over})


def read(here: Installation, asked: Asked = FILES, most_items: int = 100_000, most_pages: int = 1000) -> Listing:
    """The list as it stands once it has been read."""
    listing = actions.new(OMAR, here, asked, most_items, most_pages)
    following.execute(listing.pk)
    listing.refresh_from_db()
    return listing


def ids(body: bytes) -> list[str]:
    return [item["id"] for item in json.loads(body)["data"]]
