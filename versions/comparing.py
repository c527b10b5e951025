"""One version beside another of the same thing: which one, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ui.ids import id_in
from versions.differences import Difference, Field, compared
from versions.models import Version

V = TypeVar("V", bound=Version)


@dataclass(frozen=True)
class Comparison(Generic[V]):
    """`others` are those that `here` may be compared with; without a second one there is nothing to compare."""

    others: list[V]
    other: V | None
    older: V | None
    newer: V | None
    rows: list[Difference]

    @property
    def left(self) -> str:
        return f"Version {self.older.number}" if self.older else ""

    @property
    def right(self) -> str:
        return f"Version {self.newer.number}" if self.newer else ""


def compare(here: V, versions: Iterable[V], wanted: str, fields_of: Callable[[V], Iterable[Field]]) -> Comparison[V]:
    """`wanted` is the number of the other one as an address has it; by default the one before."""
    others = [each for each in versions if each.pk != here.pk]
    number = id_in(wanted) or here.number - 1
    other = next((each for each in others if each.number == number), None)
    if other is None:
        return Comparison(others, None, None, None, [])
    older, newer = sorted((here, other), key=lambda each: each.number)
    return Comparison(others, other, older, newer, compared(fields_of(older), fields_of(newer)))
