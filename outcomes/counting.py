"""How many calls wait for a decision, for the menu."""

from __future__ import annotations

from outcomes.models import unknown_calls

MOST = 99


def waiting() -> str:
    """Empty for none; the menu has no room for more than two digits."""
    number = unknown_calls().order_by()[: MOST + 1].count()
    return f"{MOST}+" if number > MOST else str(number or "")
