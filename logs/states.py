"""The states of calls and attempts, with the word, tone and icon that every page shows for them."""

from __future__ import annotations

from ui.states import State, states

CALL_STATES = states(
    State("queued", "In line", "note", "wait"),
    State("sending", "Sending", "info", "busy"),
    State("retrying", "Waiting to retry", "warn", "wait"),
    State("done", "Done", "ok", "ok", final=True),
    State("failed", "Failed", "bad", "bad", final=True),
    State("rejected", "Rejected by throttle", "warn", "warn", final=True),
    State("cancelled", "Cancelled", "note", "skip", final=True),
    State("unknown", "Outcome unknown", "bad", "warn", final=True),
)
AFTER_RETRY = State("done", "After retry", "quiet", "undo", final=True)
ATTEMPT_STATES = states(
    State("sending", "Sending", "info", "busy"),
    State("done", "Answered", "ok", "ok", final=True),
    State("failed", "Failed", "bad", "bad", final=True),
    State("cancelled", "Cancelled", "note", "skip", final=True),
    State("unknown", "Outcome unknown", "bad", "warn", final=True),
)
