"""The states of a token, as pages show them."""

from __future__ import annotations

from ui.states import State, states

TOKEN_STATES = states(
    State("valid", "Valid", "ok", "ok"),
    State("revoked", "Revoked", "note", "skip", final=True),
)
