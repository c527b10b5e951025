from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def alone(settings: object) -> None:
    """Rooms above this one are tried in their own tests."""
    settings.AFTER_INSTALL = settings.AFTER_NEW_WEBHOOK_KEY = []  # type: ignore[attr-defined]
    settings.SANDBOX_URL = "http://127.0.0.1:8799/v1"  # type: ignore[attr-defined]
