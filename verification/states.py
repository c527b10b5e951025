"""The states of a verification and of each check in it."""

from __future__ import annotations

from ui.states import State, states

VERIFICATION_STATES = states(
    State("queued", "In line", "note", "wait"),
    State("running", "Running", "info", "busy"),
    State("passed", "Passed", "ok", "ok", final=True),
    State("partly", "Passed in part", "ok", "ok", final=True),
    State("failed", "Failed", "bad", "bad", final=True),
    State("skipped", "Nothing tried", "note", "skip", final=True),
)
CHECK_STATES = states(
    State("waiting", "Waiting", "note", "wait"),
    State("running", "Running", "info", "busy"),
    State("passed", "Passed", "ok", "ok", final=True),
    State("failed", "Failed", "bad", "bad", final=True),
    State("skipped", "Skipped", "note", "skip", final=True),
)
