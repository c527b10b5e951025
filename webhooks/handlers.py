"""What each kind of event makes happen: a plain table, and the few functions that it names.

An event is thin: it says which object came to its end, not how. The object is fetched, so that the order of events and
repeated ones do not matter: what is stored is the state at OpenAI at that moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from connections.clients import client_for
from connections.models import Installation
from flows.actions import finish_response, save_record, unlogged_of
from flows.models import Item, Record
from flows.records import Cause
from logs.audit import SYSTEM
from logs.context import Context
from logs.models import Call
from mappings.actions import recorded
from mappings.answers import text_of
from mappings.apply import RecordView, to_record
from mappings.models import Mapping
from openai_api.errors import FailedInside
from ui.ids import id_in
from webhooks.models import Event

MESSAGE = "Message"
# How often an event may come before the item that waits for it is saved as waiting.
EARLY_ATTEMPTS = 3


@dataclass(frozen=True)
class Outcome:
    """What came of an event: a sentence, and ids of the Message record, item and run it touched, and of calls made."""

    sentence: str
    record_id: int | None = None
    item_id: int | None = None
    run_id: int | None = None
    call_ids: tuple[str, ...] = ()


class TryAgain(Exception):
    """It is too early for this event; `seconds` says when to look again."""

    def __init__(self, seconds: float, sentence: str) -> None:
        super().__init__(sentence)
        self.seconds, self.sentence = seconds, sentence


Handler = Callable[[Event, Installation], Outcome]


def handle(event: Event) -> Outcome:
    """Do what the event's kind asks for. Raises TryAgain and the errors of the client."""
    installation = Installation.objects.select_related("connection").filter(pk=event.installation_id).first()
    if installation is None:
        return Outcome("The installation was deleted, so nothing waits for this event.")
    _join_story(event)
    return HANDLERS.get(event.event_type, noted)(event, installation)


def response_ended(event: Event, installation: Installation) -> Outcome:
    """Fetch the response, keep it as a Message, and finish the item that waits for it."""
    if not event.object_id:
        return noted(event, installation)
    _wait_for_item(event)
    response, call_id = _fetch(event, installation, "get_response", "response_id")
    record = store_message(event, installation, response)
    item = finish_response(installation, response, _context(event))
    if item is None:
        return Outcome("Stored as a Message. Nothing waited for it.", record.pk, call_ids=_ids(call_id))
    return Outcome(f"Finished {item.record}.", record.pk, item.pk, item.run_id, _ids(call_id))


def batch_ended(event: Event, installation: Installation) -> Outcome:
    """Fetch the batch and keep how it ended as a Message."""
    if not event.object_id:
        return noted(event, installation)
    batch, call_id = _fetch(event, installation, "get_batch", "batch_id")
    record = store_message(event, installation, batch)
    counts = batch.get("request_counts") or {}
    sentence = f"Batch {batch.get('status', 'ended')}: {counts.get('completed', 0)} of {counts.get('total', 0)} done."
    return Outcome(sentence, record.pk, call_ids=_ids(call_id))


def noted(event: Event, installation: Installation) -> Outcome:
    """Keep the event itself as a Message; nothing more is asked for."""
    record = store_message(event, installation, None)
    return Outcome("Stored as a Message. This kind of event starts nothing here.", record.pk)


HANDLERS: dict[str, Handler] = {
    "response.completed": response_ended,
    "response.failed": response_ended,
    "response.cancelled": response_ended,
    "response.incomplete": response_ended,
    "batch.completed": batch_ended,
    "batch.failed": batch_ended,
    "batch.cancelled": batch_ended,
    "batch.expired": batch_ended,
}


def store_message(event: Event, installation: Installation, fetched: dict[str, Any] | None) -> Record:
    """The Message record of the event's object, written through the installation's mappings for events."""
    key = event.object_id or event.webhook_id
    held = Record.objects.filter(entity__name=MESSAGE, key=key).first()
    view = RecordView(key, held.fields, held.custom, MESSAGE) if held else None
    source = _source(event, fetched, view)
    versions = [recorded(mapping) for mapping in Mapping.objects.for_event(installation)]
    tried = [(version, to_record(version.spec(installation.model), source, view)) for version in versions]
    made = [(version, applied.body) for version, applied in tried if applied.ok]
    bodies = [body for _, body in made] or [{"fields": _plain_message(event, source), "custom": {}}]
    fields, custom = ({k: v for body in bodies for k, v in body[part].items()} for part in ("fields", "custom"))
    why = Cause("event", str(event.pk), made_by=tuple((version.pk, str(version)) for version, _ in made))
    record, _ = save_record(SYSTEM, MESSAGE, key, fields, custom, cause=why)
    return record


def _source(event: Event, fetched: dict[str, Any] | None, view: RecordView | None) -> dict[str, Any]:
    record = {"key": view.key, "fields": view.fields, "custom": view.custom} if view else None
    return {
        "response": fetched or {},
        "text": text_of(fetched or {}),
        "event": event.body,
        "request": None,
        "record": record,
        "now": timezone.now().isoformat(timespec="seconds"),
    }


def _plain_message(event: Event, source: dict[str, Any]) -> dict[str, Any]:
    """What a Message says where no mapping says it: the fields of its entity, as the default mapping fills them."""
    return {
        "type": event.event_type,
        "object id": event.object_id,
        "received date": event.received_at.isoformat(timespec="seconds"),
        "text": source["text"],
    }


def _fetch(event: Event, installation: Installation, operation: str, name: str) -> tuple[dict[str, Any], UUID | None]:
    try:
        unlogged = unlogged_of(installation, event.object_id)
        answer = client_for(installation).call(
            operation, path={name: event.object_id}, context=_context(event), unlogged=unlogged
        )
    except FailedInside as failed:
        # The fetch went well; what it told of did not. The event's item is to hear of that.
        error = {"code": failed.code, "message": failed.sentence}
        return {"id": event.object_id, "object": "response", "status": "failed", "error": error}, failed.call_id
    fetched: dict[str, Any] = answer.json
    return fetched, answer.call_id


def _ids(call_id: UUID | None) -> tuple[str, ...]:
    return (str(call_id),) if call_id else ()


def _context(event: Event) -> Context:
    return Context("event", str(event.pk), event.event_type, SYSTEM.name, event.correlation_id)


def _join_story(event: Event) -> None:
    """Take over the correlation id of the call that started the event's object, so that all of it is one story."""
    origin = _origin(event)
    if origin is not None and origin.correlation_id != event.correlation_id:
        Event.objects.filter(pk=event.pk).update(correlation_id=origin.correlation_id)
        event.correlation_id = origin.correlation_id


def _origin(event: Event) -> Call | None:
    if not event.object_id:
        return None
    started = Call.objects.filter(object_id=event.object_id, installation_id=event.installation_id)
    return started.exclude(cause="event").order_by("created_at", "id").first()


def _wait_for_item(event: Event) -> None:
    """An event can overtake the answer that it follows: give the item a moment to be saved as waiting."""
    if event.attempts > EARLY_ATTEMPTS or Item.objects.filter(response_id=event.object_id).exists():
        return
    origin = _origin(event)
    if event.attempts == 1 if origin is None else origin.cause == "run item" and _unsettled(origin.cause_id):
        raise TryAgain(1.0, "The record that this event may finish is not waiting yet.")


def _unsettled(item_id: str) -> bool:
    return Item.objects.filter(pk=id_in(item_id), state__in=("pending", "working")).exists()
