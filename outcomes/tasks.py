"""Background work: OpenAI is asked what became of calls, and calls are sent again, each once."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django_tasks import task

from logs.models import Call
from openai_api.errors import CallError
from outcomes import resending
from outcomes.models import Settlement, unknown_calls
from outcomes.reconciliation import ASKABLE, ask

# Background responses are kept for at least this long at OpenAI where they are stored, and batches longer.
WORTH_ASKING = timedelta(days=1)
MOST = 50
log = logging.getLogger(__name__)


def ask_due() -> None:
    """Put in line whatever OpenAI may be asked about now."""
    now = timezone.now()
    recent = unknown_calls().filter(operation__in=ASKABLE, created_at__gte=now - WORTH_ASKING)
    # What rests, for a while or for good, must not keep the others out of the first few.
    resting = Settlement.objects.filter(call_id=OuterRef("pk")).exclude(look_at__lte=now)
    for call in recent.exclude(Exists(resting))[:MOST]:
        if Settlement.objects.claim_look(call) is not None:
            reconcile.enqueue(str(call.pk))


@task()
def reconcile(call_id: str) -> None:
    """Ask OpenAI what became of a call. Harmless to run twice: it only reads there, and the first word counts here."""
    from logs.audit import SYSTEM
    from outcomes.actions import settle

    call = Call.objects.filter(pk=call_id).first()
    if call is None:
        return
    found = ask(call)
    if found.decision:
        settle(SYSTEM, call, found.decision, found.note, found.used)
    elif found.note:
        open_row = Settlement.objects.filter(call_id=call.pk, decision="")
        open_row.update(note=found.note, **({"look_at": None} if found.final else {}))


@task()
def send_again(pk: int) -> None:
    """Send a call again that a person decided so about. What was begun is never begun again: it may be paid."""
    mine = Settlement.objects.filter(pk=pk, decision="again", sent_at=None)
    if not mine.update(sent_at=timezone.now()):
        return
    row = Settlement.objects.get(pk=pk)
    try:
        resending.send(Call.objects.get(pk=row.call_id), row.by)
    except CallError as error:
        # The call that was sent has a row of its own, which says so too.
        log.warning("Call %s was sent again and failed: %s", row.call_id, error.code)
