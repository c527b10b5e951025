"""What this room's tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.operations.builders import Far


@pytest.fixture
def far(far_side: Callable[[Any], None]) -> Callable[..., Far]:
    """`far(answer, …)`: OpenAI gives these answers and remembers what it was asked."""

    def install(*answers: httpx.Response | Exception) -> Far:
        side = Far(*answers)
        far_side(side)
        return side

    return install
