"""Whether someone may sign in."""

from __future__ import annotations

from ui.states import State, states

ACCOUNT_STATES = states(
    State("active", "Active", "ok", "ok"),
    State("inactive", "Deactivated", "quiet", "lock"),
)
