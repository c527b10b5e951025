"""The items of a list that was read: a file of JSON Lines for each page, private and kept as long as answers are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from operations import keeping


def write(listing: UUID, page: int, items: list[Any]) -> int:
    """Keep a page; a page that is read again takes its own place. Gives its size in bytes."""
    content = b"".join(json.dumps(item, ensure_ascii=False).encode("utf-8", "replace") + b"\n" for item in items)
    keeping.write(keeping.path_of(listing, page), content)
    return len(content)


def are_here(listing: UUID, pages: int) -> bool:
    return all(keeping.path_of(listing, page).is_file() for page in range(pages))


def lines(listing: UUID, pages: int) -> Iterator[bytes]:
    """Each item as a line of JSON, without its end. Raises FileNotFoundError where a page is not here any more."""
    for page in range(pages):
        with keeping.path_of(listing, page).open("rb") as file:
            for line in file:
                yield line.rstrip(b"\n")


def beginning(listing: UUID, pages: int, most: int) -> list[Any]:
    return [json.loads(line) for line in islice(lines(listing, pages), most)]


def as_lines(listing: UUID, pages: int) -> Iterator[bytes]:
    """A JSON Lines file, in pieces."""
    for page in range(pages):
        yield keeping.path_of(listing, page).read_bytes()


def as_json(listing: UUID, pages: int, more: bool) -> Iterator[bytes]:
    """One answer in the shape of OpenAI's lists that holds all items, in pieces. `more` is whether OpenAI has more of them."""
    yield b'{"object": "list", "data": ['
    between = b"\n"
    for line in lines(listing, pages):
        yield between + line
        between = b",\n"
    yield b'\n], "has_more": ' + (b"true" if more else b"false") + b"}\n"


async def unhurried(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same pieces for a browser, gathered to larger ones that are not read in the event loop."""
    while piece := await asyncio.to_thread(_gathered, pieces):
        yield piece


def _gathered(pieces: Iterator[bytes]) -> bytes:
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) >= keeping.PIECE:
            break
    return bytes(found)
