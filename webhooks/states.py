"""The states of an event, and why a delivery can be refused, with the words that pages show for them."""

from __future__ import annotations

from ui.states import State, states

EVENT_STATES = states(
    State("received", "In line", "note", "wait"),
    State("processing", "Processing", "info", "busy"),
    State("retrying", "Waiting to retry", "warn", "wait"),
    State("done", "Processed", "ok", "ok", final=True),
    State("failed", "Dead letter", "bad", "bad", final=True),
)
