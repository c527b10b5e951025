"""Processing events in the background: claimed under a lease, tried again with growing pauses, swept up when lost."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone
from django_tasks import task

from jobs.tokens import held_by
from openai_api.errors import CallError, NotFound
from webhooks.handlers import Outcome, TryAgain, handle
from webhooks.models import Event, Refusal

# Pauses after the first, second ... failed attempt, in seconds; after the last one the event is a dead letter.
PAUSES = (2, 8, 30, 120, 600)
# So ends every test event, too: what it names was never made.
UNKNOWN_OBJECT = (
    "Nothing: OpenAI does not know this object. A test event names none that exists; else compare the projects."
)
KEEP_REFUSALS = timedelta(days=30)

log = logging.getLogger(__name__)


@task()
def process(event_id: int) -> None:
    """Do what the event asks for. Harmless to run twice: only one claim wins, and only its holder writes the end."""
    event = Event.objects.claim(event_id)
    if event is None:
        return
    try:
        _done(event, handle(event))
    except TryAgain as again:
        _later(event, again.seconds, again.sentence)
    except NotFound as gone:
        _note_call(event, gone)
        _dead(event, gone.sentence, gone.help_code, UNKNOWN_OBJECT)
    except CallError as error:
        _note_call(event, error)
        _failed(event, error.sentence, error.help_code, error.retry_after)
    except Exception as error:
        log.error("Event %s could not be processed: %s", event.pk, type(error).__name__)
        _failed(event, f"Patchbay could not process this event ({type(error).__name__}). Replay it after an update.")


def sweep() -> int:
    """Put events back in line that nobody works on though their time has come; drop old counts of refusals."""
    due = list(Event.objects.due().order_by("received_at").values_list("pk", flat=True)[:200])
    for event_id in due:
        process.enqueue(event_id)
    Refusal.objects.filter(minute__lt=timezone.now() - KEEP_REFUSALS).delete()
    return len(due)


def release_process(name: str) -> None:
    """Give back the events that an earlier process of this name was working on."""
    Event.objects.filter(held_by(name), state="processing").update(lease_until=timezone.now())


def _done(event: Event, outcome: Outcome) -> None:
    event.finish(
        "done",
        outcome=outcome.sentence[:300],
        error="",
        help_code="",
        message_record_id=outcome.record_id,
        item_id=outcome.item_id,
        run_id=outcome.run_id,
        call_ids=[*event.call_ids, *outcome.call_ids],
    )


def _failed(event: Event, sentence: str, help_code: str = "", retry_after: float | None = None) -> None:
    if event.attempts > len(PAUSES):
        _dead(event, sentence, help_code)
    else:
        _later(event, max(PAUSES[event.attempts - 1], retry_after or 0), sentence, help_code)


def _later(event: Event, seconds: float, sentence: str, help_code: str = "") -> None:
    at = timezone.now() + timedelta(seconds=seconds)
    if (
        event.finish("retrying", next_at=at, error=sentence, help_code=help_code, call_ids=event.call_ids)
        and process.get_backend().supports_defer
    ):
        process.using(run_after=at).enqueue(event.pk)


def _dead(event: Event, sentence: str, help_code: str = "", outcome: str = "Nothing came of it.") -> None:
    event.finish("failed", error=sentence, help_code=help_code, outcome=outcome, call_ids=event.call_ids)


def _note_call(event: Event, error: CallError) -> None:
    """The page of an event leads to the calls that failed, too; whoever ends this attempt writes it down."""
    if error.call_id:
        event.call_ids = [*event.call_ids, str(error.call_id)]
