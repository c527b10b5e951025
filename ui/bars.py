"""A bar of several parts, side by side: how many of each kind, as places and widths out of 1000."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 1000


@dataclass(frozen=True)
class Bar:
    """A part of the bar: its class (`p-ok`, `p-fail`, `p-skip`, `p-busy`), place and width out of 1000."""

    css: str
    x: float
    width: float


def stacked(parts: Iterable[tuple[str, int]], total: int) -> list[Bar]:
    """Parts as (class, count) of `total`, from left to right; what is empty is left out."""
    bars, x = [], 0.0
    for css, count in parts:
        width = WIDTH * count / max(total, 1)
        if count:
            bars.append(Bar(css, round(x, 1), round(width, 1)))
        x += width
    return bars
