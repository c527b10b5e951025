"""What is known of a call whose outcome was unknown."""

from __future__ import annotations

from ui.states import State, states

DECISIONS = states(
    State("", "To be decided", "bad", "warn"),
    State("done", "Was carried out", "ok", "ok", final=True),
    State("not_done", "Was not carried out", "note", "skip", final=True),
    State("again", "Sent again", "info", "send", final=True),
)
