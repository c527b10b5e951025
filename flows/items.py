"""One item of a push: claim it, send it once, write what came of it, each step only by who holds the claim."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from flows.answers import Change, changes_of
from flows.leases import lease_end
from flows.models import Item, Record, Run
from flows.presets import body_for
from flows.records import Cause, save_record
from flows.session import Session
from jobs.tokens import new_token
from logs.audit import Actor
from mappings.apply import Applied, MappingSpec, RecordView, to_request
from mappings.protection import Protected
from openai_api.errors import CallError, ConnectionStopped, OutcomeUnknown

# Seconds for one call. Longer than most answers take: a call that is given up is perhaps paid all the same.
TIMEOUT = 120.0
# With `repeat_unknown`, how often one item may be sent before a person has to look.
MOST_ATTEMPTS = 3
# Statuses of a response that is not finished yet.
UNFINISHED = ("queued", "in_progress")
FAILED = ("failed", "cancelled")
# Seconds until the first look for a background response whose webhook has not come, and the longest pause between two.
FIRST_LOOK, LONGEST_PAUSE = 5.0, 60.0


def pause(polls: int) -> timedelta:
    return timedelta(seconds=min(FIRST_LOOK * 2.0 ** min(polls, 10), LONGEST_PAUSE))


def view_of(record: Record) -> RecordView:
    return RecordView(key=record.key, fields=record.fields, custom=record.custom, entity=record.entity.name)


def send(session: Session, item_id: int) -> None:
    """Take one pending item as far as it goes: skipped, failed, done, waiting for OpenAI, or unknown."""
    item = Item.objects.select_related("record__entity", "run__installation", "run__version", "run__preset").get(
        pk=item_id
    )
    if session.spec is None:
        leave(item, "failed", error="What this run was to send was not kept. Start a new run.")
        return
    if left_out := _left_out(session, item):
        leave(item, "skipped", error=left_out)
        return
    applied = request_of(session, session.spec, view_of(item.record))
    if applied.skipped is not None:
        leave(item, "skipped", error=applied.skipped)
    elif applied.problems:
        leave(item, "failed", error=" ".join(problem.sentence for problem in applied.problems))
    elif claim(item, _body(session, applied.body), applied.protected):
        _call(session, item, item.run.operation)


def request_of(session: Session, spec: MappingSpec, view: RecordView) -> Applied:
    """What is sent for a record: what the mapping makes of it, or the run's preset for the records that the mapping lets pass."""
    if session.preset is None:
        return to_request(spec, view)
    applied = to_request(replace(spec, rules=(), model="", schema=None), view)
    if applied.ok:
        seen = replace(view, fields=applied.protected.parts["fields"], custom=applied.protected.parts["custom"])
        applied.body, applied.problems = body_for(session.preset, seen, spec.model)
    return applied


def _left_out(session: Session, item: Item) -> str:
    """Why a mapping that only adds, or only updates, leaves out this record; empty where it does not.

    A record is added by the first push of it through the installation, and updated by every later one. What was begun after
    this item was put in line has sent the record as it is now, so that there is nothing to update.
    """
    sync_type = session.spec.sync_type if session.spec else ""
    if sync_type not in ("add", "update"):
        return ""
    sent = Item.objects.sent(session.run.installation, item.record).exclude(pk=item.pk)
    if sync_type == "add" and sent.exists():
        return f"{item.record.key} was sent before, and this mapping only adds records."
    if sync_type == "update" and not sent.filter(started_at__lt=item.created_at).exists():
        return f"{item.record.key} was not sent before, and this mapping only updates records."
    return ""


def _body(session: Session, mapped: dict[str, Any]) -> dict[str, Any]:
    body = {"model": session.run.installation.model} | mapped
    # Only a stored response can be fetched once it is finished.
    return body | {"background": True, "store": True} if session.run.mode == "background" else body


def claim(item: Item, body: dict[str, Any], protected: Protected) -> bool:
    """Make a pending item ours, under a token of its own. False when somebody else was faster."""
    item.lease_token, item.request, item.state = new_token(), body, "working"
    item.masks, item.unlogged = protected.masks, list(protected.unlogged)
    now = timezone.now()
    return bool(
        Item.objects.filter(pk=item.pk, state="pending").update(
            state="working",
            lease_token=item.lease_token,
            lease_until=lease_end(),
            request=body,
            masks=item.masks,
            unlogged=item.unlogged,
            attempts=F("attempts") + 1,
            started_at=now,
            finished_at=None,
            error="",
            help_code="",
        )
    )


def _call(session: Session, item: Item, operation: str) -> None:
    session.lease.add(item.lease_token)
    try:
        policy = (session.preset and session.preset.retries) or session.client.retries
        again = replace(policy, repeat_unknown=session.run.repeat_unknown)
        timeout = max(TIMEOUT, session.preset.timeout if session.preset else 0)
        answer = session.client.call(
            operation,
            json=item.request,
            context=session.context(item),
            retries=again,
            timeout=timeout,
            unlogged=tuple(item.unlogged),
        )
        note_call(session.run, answer.call_id)
        finish(item, answer.json, answer.call_id)
    except OutcomeUnknown as error:
        lose(item, session.run.repeat_unknown, error.sentence, error.help_code, error.call_id)
    except CallError as error:
        if isinstance(error, ConnectionStopped):
            session.refused = error
        note_call(session.run, error.call_id)
        leave(item, "failed", error=error.sentence, help_code=error.help_code, call_id=error.call_id)
    finally:
        session.lease.drop(item.lease_token)


def note_call(run: Run, call_id: uuid.UUID | None) -> None:
    if run.preset and call_id:
        run.preset.made(call_id)


def lose(item: Item, repeat: bool, sentence: str, help_code: str, call_id: uuid.UUID | None) -> None:
    """Nobody knows what became of the call. It is sent again only where that was allowed beforehand, and not for ever."""
    attempts = Item.objects.values_list("attempts", flat=True).get(pk=item.pk)
    state = "pending" if repeat and attempts < MOST_ATTEMPTS else "unknown"
    leave(item, state, error=sentence, help_code=help_code, call_id=call_id)


def finish(item: Item, response: dict[str, Any], call_id: uuid.UUID | None = None) -> bool:
    """Write what OpenAI answered, in one short transaction; False when the item is no longer ours to write.

    The mapping is applied outside of the transaction and once more when the record changed in between.
    """
    call = call_id or item.call_id
    status = response.get("status", "completed")
    if status in UNFINISHED:
        look = timezone.now() + pause(item.polls)
        return leave(item, "waiting", call_id=call, response_id=response.get("id", ""), polls=item.polls, poll_at=look)
    if status in FAILED:
        return leave(item, "failed", error=_why_failed(response), call_id=call, response_id=response.get("id", ""))
    while True:
        change = changes_of(item, response)
        if change.problem:
            found = response.get("id", "")
            return leave(item, "failed", error=change.problem, call_id=call, response_id=found)
        written = _write(item, change, response, call)
        if written is not None:
            return written
        item.record.refresh_from_db()


def _write(item: Item, change: Change, response: dict[str, Any], call_id: uuid.UUID | None) -> bool | None:
    """True when written, False when the item is not ours, None when the record has moved on meanwhile."""
    with transaction.atomic():
        current = Record.objects.select_for_update().get(pk=item.record_id)
        if current.version != item.record.version:
            return None
        result = {"before": change.before, "after": change.after, "response_id": response.get("id", "")}
        if not leave(item, "done", call_id=call_id, **result):
            return False
        if change.after:
            why = Cause("answer", str(item.pk), call_id, change.made_by)
            actor = Actor(item.run.actor or "Patchbay")
            save_record(actor, item.record.entity, item.record.key, change.fields, change.custom, cause=why)
    return True


def leave(item: Item, state: str, call_id: uuid.UUID | None = None, **values: Any) -> bool:
    """Move the item out of the state in which we have it, if it still is there and still ours."""
    ours = Item.objects.filter(pk=item.pk, state=item.state, lease_token=item.lease_token)
    known = [str(call_id)] if call_id and str(call_id) not in item.settled_calls else []
    values |= {"call_id": call_id} if call_id else {}
    final = state not in ("pending", "waiting")
    moved = ours.update(
        state=state,
        lease_token="",
        lease_until=None,
        settled_calls=item.settled_calls + known,
        finished_at=timezone.now() if final else None,
        **values,
    )
    return bool(moved)


def _why_failed(response: dict[str, Any]) -> str:
    error = response.get("error") or {}
    said = error.get("message") if isinstance(error, dict) else ""
    if response.get("status") == "cancelled":
        return "The response was cancelled at OpenAI before it was finished. Retry to ask again."
    return f"OpenAI could not finish the response: {said or 'it gave no reason'} Retry to ask again."
