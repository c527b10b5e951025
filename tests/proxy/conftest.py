"""The proxy at rest between tests: no door of one test stands open in the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openai_api import loop
from proxy import doors, knocks


@pytest.fixture(autouse=True)
def doors_shut() -> Iterator[None]:
    yield
    loop.run(_settle())
    doors._kept.clear()
    knocks._waiting.clear()


async def _settle() -> None:
    """A look that is under way is waited for, so that it ends while its database is there."""
    for kept in list(doors._kept.values()):
        if kept.look is not None:
            await kept.look
