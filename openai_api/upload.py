"""A body that is too large to be held: it goes over the wire as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator


class CallerLeft(Exception):
    """Raised by what gives the pieces, when whoever sends the body hung up."""


class Upload:
    """The pieces of a body. `over` is set when no more come: then either `whole`, or `left` because the caller hung up.

    Half a body never reaches its end by itself: whoever opened the passage sees `left` and gives up the call. One that is
    `repeatable` gives its pieces from the beginning each time they are asked for, so that it may be sent again.
    """

    def __init__(self, pieces: AsyncIterable[bytes], repeatable: bool = False) -> None:
        self._pieces = pieces
        self.repeatable = repeatable
        self.over = asyncio.Event()
        self.left = False

    @property
    def whole(self) -> bool:
        return self.over.is_set() and not self.left

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.over.clear()
        try:
            async for piece in self._pieces:
                yield piece
        except CallerLeft:
            self.left = True
            self.over.set()
            await asyncio.Future()
        finally:
            # Also where the far side answered without reading on.
            self.over.set()
