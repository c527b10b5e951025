"""Working through a run: what was left behind, what is due to be asked for, what is still to be sent; then the count."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from connections.clients import client_for
from flows.items import finish, send
from flows.leases import Lease, hold
from flows.models import Item, Run
from flows.polling import poll
from flows.pulling import pull
from flows.recovery import recover
from flows.session import Session
from flows.states import RUN_FINAL
from openai_api.errors import CallError, Rejected

# More threads than this only wait for each other; the gate holds the installation's own limit.
MAX_THREADS = 10
log = logging.getLogger(__name__)


def execute(run_id: int) -> None:
    """Work on a run as far as it goes now. Does nothing while another worker holds it, and nothing once it has ended."""
    with hold(run_id) as lease:
        if lease is None:
            return
        run = Run.objects.select_related("installation__connection", "mapping").get(pk=run_id)
        _begin(run)
        try:
            if run.kind == "push":
                _push(run, lease)
            else:
                pull(run, client_for(run.installation))
        except CallError as error:
            _stop(run, error)
    settle(run_id)


def _begin(run: Run) -> None:
    run.state, run.started_at = "running", run.started_at or timezone.now()
    run.note = run.help_code = ""
    Run.objects.filter(pk=run.pk).exclude(state__in=RUN_FINAL).update(
        state=run.state, started_at=run.started_at, note="", help_code=""
    )


def _push(run: Run, lease: Lease) -> None:
    spec = run.mapping.spec() if run.mapping else None
    session = Session(run, lease, client_for(run.installation), spec)
    for item in run.items.abandoned().select_related("record__entity"):
        recover(session, item)
    for item in run.items.filter(state="waiting", poll_at__lte=timezone.now()).select_related("record__entity"):
        poll(session, item)
    pending = list(run.items.filter(state="pending").order_by("pk").values_list("pk", flat=True))
    if pending and not session.stopped():
        with session.client.batch(deadline=float(run.installation.deadline_seconds)):
            _send_all(session, pending)


def _send_all(session: Session, pending: list[int]) -> None:
    threads = min(session.run.installation.concurrent_connections, MAX_THREADS)
    with ThreadPoolExecutor(threads, thread_name_prefix=f"run {session.run.pk}") as pool:
        for _ in pool.map(lambda item_id: _send_one(session, item_id), pending):
            pass


def _send_one(session: Session, item_id: int) -> None:
    """One item in a thread. What goes wrong in an unforeseen way leaves the item to `recovery`, which reads the log first."""
    try:
        if not session.stopped():
            send(session, item_id)
    except Exception:
        log.exception("Item %s of run %s was left in the middle.", item_id, session.run.pk)
    finally:
        connection.close()


def _stop(run: Run, error: CallError) -> None:
    """The run as a whole was refused. Whoever waits in line goes on waiting there; else what is left has failed."""
    if isinstance(error, Rejected) and run.installation.excess == "wait":
        Run.objects.filter(pk=run.pk).update(state="queued", note=error.sentence, help_code=error.help_code)
        return
    failed = {"state": "failed", "error": error.sentence, "help_code": error.help_code, "finished_at": timezone.now()}
    run.items.filter(state="pending").update(**failed)
    Run.objects.filter(pk=run.pk).update(note=error.sentence, help_code=error.help_code)
    if run.kind == "pull":
        Run.objects.filter(pk=run.pk).update(failed=1)


def settle(run_id: int) -> None:
    """Count the items; end the run when none is open any more. Safe to call at any time, by anybody."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run_id)
        if run.kind == "push":
            counts = Item.objects.filter(run=run).counts()
            for name in ("done", "failed", "skipped", "unknown"):
                setattr(run, name, counts.get(name, 0))
            run.state = _state_of(run, counts)
        elif run.state == "running":
            run.state = "cancelled" if run.cancelled else "failures" if run.failed else "done"
        run.finished_at = (run.finished_at or timezone.now()) if not run.is_open else None
        run.save(update_fields=["done", "failed", "skipped", "unknown", "state", "finished_at"])


def _state_of(run: Run, counts: dict[str, int]) -> str:
    if counts.get("pending") or counts.get("working"):
        return run.state if run.is_open else "queued"
    if counts.get("waiting"):
        return "waiting"
    if counts.get("unknown"):
        return "undecided"
    if run.cancelled:
        return "cancelled"
    return "failures" if counts.get("failed") else "done"


def finish_waiting(item: Item, response: dict[str, Any], call_id: Any = None) -> bool:
    """Finish an item that waits for this background response; False when somebody else has, or when it goes on."""
    written = finish(item, response, call_id)
    if written:
        settle(item.run_id)
    return written
