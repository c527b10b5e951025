"""One business process from end to end: a sample record is sent in the background, and what OpenAI made is written back."""

from __future__ import annotations

import time

from django.urls import reverse

from flows.actions import CannotStart, start_push
from flows.models import Item
from verification.checks.running import calls_of, not_done, see_through
from verification.checks.sample_push import NO_SAMPLE
from verification.subject import (
    SAMPLE_ENTITY,
    Outcome,
    Subject,
    link,
    log_links,
    passed,
    record_link,
    run_link,
    skipped,
)
from webhooks.models import Event

SECONDS = 60.0


def run(subject: Subject) -> Outcome:
    record = subject.sample()
    if record is None:
        return skipped(f"The hub has no sample {SAMPLE_ENTITY} record to send.", NO_SAMPLE)
    story, began = subject.verification.correlation_id, time.monotonic()
    try:
        sent = start_push(
            subject.actor, subject.installation, SAMPLE_ENTITY, [record], mode="background", correlation_id=story
        )
    except CannotStart as reason:
        return skipped(str(reason), "Then run this check again.", evidence=[link("Mappings", reverse("mappings:list"))])
    ended = see_through(sent, SECONDS)
    if ended.state != "done" or ended.done != 1:
        return not_done(ended)
    took, calls, item = time.monotonic() - began, calls_of(ended), ended.items.get()
    told, event_links = _how_it_came(item)
    return passed(
        f"{record.key} was sent in the background. {told} After {took:.1f} s its answer stood in the record.",
        evidence=[run_link(ended), record_link(record), *event_links, *log_links(calls)],
        calls=calls,
    )


def _how_it_came(item: Item) -> tuple[str, list[dict[str, str]]]:
    """Who told that the answer was ready: OpenAI by an event, or Patchbay's own asking."""
    event = Event.objects.filter(installation_id=item.run.installation_id, object_id=item.response_id).first()
    if event is None or item.polls:
        return "No event of it came, so Patchbay asked for it.", []
    return f"OpenAI's event {event.event_type} finished it.", [
        link("Event", reverse("webhooks:detail", args=[event.pk]))
    ]
