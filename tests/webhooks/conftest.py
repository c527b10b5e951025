from __future__ import annotations

from typing import Any

import pytest

from webhooks import inbox


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of events that were put in line; nothing processes them."""
    ids: list[int] = []

    class Line:
        def enqueue(self, event_id: int) -> Any:
            ids.append(event_id)

    monkeypatch.setattr(inbox, "process", Line())
    return ids
