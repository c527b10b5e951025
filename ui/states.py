"""A state is shape, word and colour, said once: templates ask the record for its `state_info` and never compare strings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """`tone` is one of ok, warn, bad, info, note, quiet; `icon` names a symbol of the sprite; `final` means nothing more comes."""

    value: str
    label: str
    tone: str
    icon: str
    final: bool = False


def states(*rows: State) -> dict[str, State]:
    return {row.value: row for row in rows}


def choices(table: dict[str, State]) -> list[tuple[str, str]]:
    return [(row.value, row.label) for row in table.values()]


def final(table: dict[str, State]) -> list[str]:
    return [row.value for row in table.values() if row.final]
