"""What keeps a line waiting, in words. Read from the gauge when somebody looks; the gate writes nothing down for it."""

from __future__ import annotations

from connections.models import Connection, Installation
from logs.models import Call
from openai_api.gate import gauge
from openai_api.gate.gauge import Gauge, Slots
from openai_api.gate.places import Place, place_of
from openai_api.throttle import Throttle
from ui.formats import duration_ms


def waits_for(call: Call) -> str:
    """What a call in line waits for at this moment, in a sentence or two; empty where it stands in no line."""
    place, asked = place_of(call.pk), _throttle_of(call)
    if place is None or asked is None:
        return ""
    found = gauge.read([asked])[0]
    words = _parked(found, place) or _shared(found, place.tokens) or "its turn"
    before = (
        f"{place.before:,} stand{'s' if place.before == 1 else ''} before it" if place.before else "It is the first"
    )
    return f"Waits for {words}. {before} in line."


def line_waits_for(found: Gauge) -> str:
    """What the line of an installation waits for, in words; empty while nobody waits, or nothing that all share is used up."""
    if not found.line.waiting:
        return ""
    window = found.window
    if found.connections.full:
        return _slot(found.connections)
    if window.used >= window.limit:
        return f"a place in the window of {window.limit:,} in {window.seconds:g} s"
    return _tokens(found, found.line.least_tokens)


def _shared(found: Gauge, tokens: int) -> str:
    words, free_in = line_waits_for(found), found.window.free_in
    if words and not found.connections.full and free_in:
        return f"{words}, free in {duration_ms(free_in * 1000)}"
    return words or _tokens(found, tokens)


def _slot(slots: Slots) -> str:
    return f"one of {slots.limit} connections, all in use" if slots.limit > 1 else "the one connection, which is in use"


def _tokens(found: Gauge, wanted: int) -> str:
    used = found.tokens.used + found.tokens.reserved
    return (
        f"tokens of the minute: {used:,} of {found.tokens.limit:,} are used or reserved" if found.lacks(wanted) else ""
    )


def _parked(found: Gauge, place: Place) -> str:
    for parked in found.parked:
        if parked.model == place.model and (parked.kind == "requests" or parked.left <= place.tokens):
            named = f" of {parked.model}" if parked.model else ""
            return f"OpenAI's own limit{named}, free again in {duration_ms(parked.free_in * 1000)}"
    return ""


def _throttle_of(call: Call) -> tuple[Throttle, str] | None:
    """The limits that the call is under, and the hold key of its connection; None where they were deleted."""
    if call.installation_id:
        row = Installation.objects.select_related("connection").filter(pk=call.installation_id).first()
        return (row.throttle, row.connection.hold_key) if row else None
    connection = Connection.objects.filter(pk=call.connection_id or 0).first()
    return (connection.throttle, connection.hold_key) if connection else None
