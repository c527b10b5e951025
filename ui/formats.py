"""Times, amounts and sizes as the pages say them: units with a space, `14:32:01` today, relative only under an hour."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

UNKNOWN = "unknown"
NOTHING = "–"
SMALLEST_AMOUNT = Decimal("0.000001")


def clock(moment: datetime | None) -> str:
    """`14:32:01` for today, `19 November 2026, 14:32` for any other day, in the server's time zone."""
    if moment is None:
        return NOTHING
    local, today = timezone.localtime(moment), timezone.localdate()
    if local.date() == today:
        return f"{local:%H:%M:%S}"
    return f"{local.day} {local:%B %Y, %H:%M}"


def log_clock(moment: datetime | None) -> str:
    """`14:32:01` for today, `19 Nov, 14:32:01` this year, `19 Nov 2025, 14:32:01` before: short, and to the second."""
    if moment is None:
        return NOTHING
    local, today = timezone.localtime(moment), timezone.localdate()
    if local.date() == today:
        return f"{local:%H:%M:%S}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {local:%b}{year}, {local:%H:%M:%S}"


def ago(moment: datetime | None) -> str:
    """`20 s ago`, `5 min ago`; from an hour on, and for the future, as `clock`."""
    if moment is None:
        return NOTHING
    age = timezone.now() - moment
    if not timedelta(seconds=-1) <= age < timedelta(hours=1):
        return clock(moment)
    seconds = max(0, int(age.total_seconds()))
    return f"{seconds} s ago" if seconds < 60 else f"{seconds // 60} min ago"


def duration_ms(milliseconds: float | None) -> str:
    """`840 ms`, `6.2 s`, `4 min 10 s`, `2 h 5 min`."""
    if milliseconds is None:
        return NOTHING
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 59_950:
        return f"{milliseconds / 1000:.1f} s"
    seconds = round(milliseconds / 1000)
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def money(dollars: Decimal | None) -> str:
    """`$412.86`, `$0.000843` under a cent, `unknown` for None: a price that is not known is not zero."""
    if dollars is None:
        return UNKNOWN
    sign, amount = ("-" if dollars < 0 else ""), abs(dollars)
    if 0 < amount < SMALLEST_AMOUNT:
        return f"under {sign}${SMALLEST_AMOUNT}"
    places = 6 if 0 < amount < Decimal("0.01") else 2
    return f"{sign}${amount:,.{places}f}"


def number(value: float | None) -> str:
    """`1,240`."""
    return NOTHING if value is None else f"{value:,}"


def byte_size(count: int | None) -> str:
    """`1,048 bytes`, `12.4 kB`, `3.1 MB`; a kilobyte has 1,000."""
    if count is None:
        return NOTHING
    if count < 10_000:
        return f"{count:,} byte{'' if count == 1 else 's'}"
    return f"{count / 1000:,.1f} kB" if count < 999_950 else f"{count / 1_000_000:,.1f} MB"


def initials(name: str) -> str:
    """`MO` for Maren Okafor, `MA` for maren."""
    words = name.replace(".", " ").split()
    letters = words[0][0] + words[-1][0] if len(words) > 1 else "".join(words)[:2]
    return letters.upper()


def plain(value: Any) -> str:
    """A value of a record as people write it: text as it is, `["oak", "steel"]`, `true` and `12.5` as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
