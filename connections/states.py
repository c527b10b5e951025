"""What a connection's last test said, and what stands over it: that its calls are refused because they kept failing."""

from __future__ import annotations

from ui.states import State, states

CONNECTION_STATES = states(
    State("untested", "Not tested", "note", "wait"),
    State("ok", "Working", "ok", "ok"),
    State("limited", "Working, limited key", "warn", "warn"),
    State("failed", "Failing", "bad", "bad"),
)
STOPPED = State("stopped", "Stopped", "bad", "stop")
