"""The states of runs and of the items in them, with the word, tone and icon that every page shows."""

from __future__ import annotations

from ui.states import State, final, states

RUN_STATES = states(
    State("queued", "In line", "note", "wait"),
    State("running", "Running", "info", "busy"),
    State("waiting", "Waiting for OpenAI", "info", "wait"),
    State("done", "Done", "ok", "ok", final=True),
    State("failures", "Done with failures", "bad", "bad", final=True),
    State("undecided", "Needs a decision", "warn", "warn", final=True),
    State("cancelled", "Cancelled", "note", "skip", final=True),
)
ITEM_STATES = states(
    State("pending", "In line", "note", "wait"),
    State("working", "In progress", "info", "busy"),
    State("waiting", "Waiting for OpenAI", "info", "wait"),
    State("done", "Done", "ok", "ok", final=True),
    State("failed", "Failed", "bad", "bad", final=True),
    State("skipped", "Skipped", "note", "skip", final=True),
    State("unknown", "Outcome unknown", "warn", "warn", final=True),
)
FLOW_STATES = states(
    State("on", "On", "ok", "ok"),
    State("off", "Off", "note", "paused"),
    State("mapping_off", "Mapping is off", "warn", "warn"),
)
RUN_FINAL, ITEM_FINAL = final(RUN_STATES), final(ITEM_STATES)
