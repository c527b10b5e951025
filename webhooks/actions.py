"""What people do with events."""

from __future__ import annotations

from logs import audit
from logs.audit import Actor
from webhooks.models import Event
from webhooks.tasks import process


def replay_event(actor: Actor, event: Event) -> None:
    """Process an event once more, with a line in the audit trail."""
    event.put_back()
    audit.write(actor, "replayed", "event", event.pk, str(event), {"state": [event.state, "received"]})
    process.enqueue(event.pk)
