"""Items that a killed worker left in the middle. The log knows whether their call was sent; nothing is paid twice."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from flows.items import finish, leave, lose
from flows.leases import lease_end
from flows.models import Item
from flows.session import Session
from jobs.tokens import new_token
from logs.models import Body, Call
from logs.redaction import UNLOGGED
from mappings.choices import RESPONSE
from openai_api.errors import CallError

# A call is given so many seconds after its worker fell silent to reach its end in the log (the gate's sweep sees to it).
PATIENCE = 120
UNDER_WAY = ("queued", "sending", "retrying")
LOST = (
    "Patchbay stopped while OpenAI was answering, so the outcome is unknown and perhaps paid. "
    "Send it again, which may be paid twice, or mark it as failed."
)
UNREADABLE = "OpenAI answered, but Patchbay could not write the answer to the record. Retry to ask again."
log = logging.getLogger(__name__)


def recover(session: Session, item: Item) -> None:
    """Decide by the log what becomes of an item whose worker died: sent again, finished, failed, or left to a person."""
    call = left_behind(item)
    if call and call.state in UNDER_WAY and not _out_of_patience(item):
        return
    if not _take_over(item):
        return
    session.lease.add(item.lease_token)
    try:
        _decide(session, item, call)
    finally:
        session.lease.drop(item.lease_token)


def left_behind(item: Item) -> Call | None:
    """The call of this item whose outcome was never dealt with; an answered one before all others."""
    calls = Call.objects.filter(cause="run item", cause_id=str(item.pk)).exclude(operation="get_response")
    open_calls = calls.exclude(pk__in=item.settled_calls).order_by("-created_at", "-id")
    found = list(open_calls[:20])
    return next((call for call in found if call.state == "done"), found[0] if found else None)


def _out_of_patience(item: Item) -> bool:
    return item.lease_until is not None and item.lease_until < timezone.now() - timedelta(seconds=PATIENCE)


def _take_over(item: Item) -> bool:
    token = new_token()
    ours = Item.objects.abandoned().filter(pk=item.pk, lease_token=item.lease_token)
    if not ours.update(lease_token=token, lease_until=lease_end()):
        return False
    item.lease_token = token
    return True


def _decide(session: Session, item: Item, call: Call | None) -> None:
    if call is None or _never_sent(call):
        # A claim that sent nothing at all is no attempt.
        counted = bool(call and call.attempts)
        leave(item, "pending", call_id=call.pk if call else None, attempts=F("attempts") - (0 if counted else 1))
    elif call.state == "done":
        _finish(session, item, call)
    elif call.state == "failed":
        leave(item, "failed", error=call.error_message, help_code=call.help_code, call_id=call.pk)
    else:
        lose(item, session.run.repeat_unknown, call.error_message or LOST, call.help_code, call.pk)


def _never_sent(call: Call) -> bool:
    """True when OpenAI has not taken the last request on: it stayed in line, or no server was reached."""
    if call.state in ("rejected", "cancelled"):
        return call.sent_at is None
    return call.state == "failed" and (call.http_status is None or call.error_code == "process_stopped")


def _finish(session: Session, item: Item, call: Call) -> None:
    try:
        finish(item, stored_answer(call) or _ask_again(session, item, call), call.pk)
    except CallError as error:
        # The response is at OpenAI, paid and whole: a call for it can be made once more, a new response is not needed.
        lose(item, False, error.sentence, error.help_code, None)
    except Exception:
        log.exception("The answer to item %s could not be written.", item.pk)
        leave(item, "failed", error=UNREADABLE, call_id=call.pk)


def stored_answer(call: Call) -> dict[str, Any] | None:
    """The answer as the log kept it, if it was kept whole and nothing was left out."""
    body = Body.objects.filter(call_id=call.pk, attempt__gt=0, truncated=False).order_by("-attempt").first()
    try:
        answer = json.loads(body.text) if body and UNLOGGED not in body.text else None
    except ValueError:
        return None
    known = isinstance(answer, dict) and (answer.get("id") or call.operation != RESPONSE)
    return answer if known else None


def _ask_again(session: Session, item: Item, call: Call) -> dict[str, Any]:
    if call.operation != RESPONSE:
        raise LookupError(f"OpenAI keeps no answer of {call.operation} to ask for.")
    path = {"response_id": call.object_id}
    answer: dict[str, Any] = session.client.call(
        "get_response", path=path, context=session.context(item), unlogged=tuple(item.unlogged)
    ).json
    return answer
