"""How a person's request stands, with the word, tone and icon that pages show for it."""

from __future__ import annotations

from ui.states import State, states

ANSWER_STATES = states(
    State("sending", "Sending", "info", "busy"),
    State("done", "Answered", "ok", "ok", final=True),
    State("failed", "Failed", "bad", "bad", final=True),
    State("cancelled", "Stopped", "note", "stop", final=True),
)
LISTING_STATES = states(
    State("queued", "In line", "quiet", "wait"),
    State("reading", "Reading", "info", "busy"),
    State("done", "Done", "ok", "ok", final=True),
    State("failed", "Broke off", "bad", "bad", final=True),
    State("stopped", "Stopped", "note", "stop", final=True),
)
