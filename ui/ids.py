"""Ids as they stand in queries, forms and commands."""

from __future__ import annotations

BIGGEST = 2**63 - 1


def id_in(text: str) -> int:
    """The id that a text is, or 0, which no row has. Digits of other scripts are none, nor what no column can hold."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
    return number if number <= BIGGEST else 0
