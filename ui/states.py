"""A state is shape, word and colour, said once: templates write `{% status row.state_info %}` and compare no strings.

RUN_STATES = states(
    State("queued", "Waiting", "quiet", "wait"),
    State("running", "Running", "info", "busy"),
    State("done", "Done", "ok", "ok", final=True),
)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["ok", "warn", "bad", "info", "note", "quiet"]


@dataclass(frozen=True)
class State:
    """`value` is stored, `label` is shown, `icon` names a symbol of icons.svg; after a `final` state nothing comes."""

    value: str
    label: str
    tone: Tone
    icon: str
    final: bool = False

    @property
    def css(self) -> str:
        """Class names of the look: the icon `busy` turns, `quiet` has no colour."""
        if self.tone == "quiet":
            return "status"
        return "status status-busy" if self.icon == "busy" else f"status status-{self.tone}"


def states(*rows: State) -> dict[str, State]:
    """A table by value, in the order given; raises ValueError where a value stands twice."""
    table = {row.value: row for row in rows}
    if len(table) != len(rows):
        raise ValueError("Two states have the same value.")
    return table


def choices(table: dict[str, State]) -> list[tuple[str, str]]:
    return [(row.value, row.label) for row in table.values()]


def final(table: dict[str, State]) -> list[str]:
    return [row.value for row in table.values() if row.final]
