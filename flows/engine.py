"""Working through a run: what was left behind, what is due to be asked for, what is still to be sent; then the count."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
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
from mappings.models import MappingVersion
from openai_api.errors import CallError, ConnectionStopped, Rejected

# More threads than this only wait for each other; the gate holds the installation's own limit.
MAX_THREADS = 10
# So many items are sent between two looks at what else is due.
ROUND = 200
log = logging.getLogger(__name__)


def execute(run_id: int) -> bool:
    """Work on a run as far as it goes now. Does nothing while another worker holds it, and nothing once it has ended.

    True when it gave way to other tasks with work left; it then wants to be queued again, behind them.
    """
    gave_way = False
    with hold(run_id) as lease:
        if lease is None:
            return False
        run = Run.objects.select_related("installation__connection", "version", "preset").get(pk=run_id)
        _begin(run)
        try:
            if run.kind == "push":
                gave_way = _push(run, lease)
            else:
                pull(run, client_for(run.installation))
        except CallError as error:
            _stop(run, error)
    settle(run_id)
    return gave_way


def _begin(run: Run) -> None:
    run.state, run.started_at = "running", run.started_at or timezone.now()
    run.note = run.help_code = ""
    Run.objects.filter(pk=run.pk).exclude(state__in=RUN_FINAL).update(
        state=run.state, started_at=run.started_at, note="", help_code=""
    )


def _push(run: Run, lease: Lease) -> bool:
    takers = MappingVersion.objects.in_order(run.answers)
    spec = run.version.spec(run.installation.model, takers) if run.version else None
    session = Session(run, lease, client_for(run.installation), spec, run.preset.request if run.preset else None)
    for item in run.items.abandoned().select_related("record__entity"):
        recover(session, item)
    _in_threads(session, poll, _due(run))
    tried: set[tuple[int, int]] = set()
    if _in_line(run, tried) and not session.stopped():
        with session.client.batch(deadline=float(run.installation.deadline_seconds)):
            while not session.stopped() and (pending := _in_line(run, tried)):
                tried.update(pending)
                _in_threads(session, send, [item_id for item_id, _ in pending])
                _in_threads(session, poll, _due(run))
    if session.refused is not None:
        raise session.refused
    return session.gave_way


def _in_line(run: Run, tried: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """The next items to send, as (id, attempts), without those that were `tried` as they stand.

    What was tried before comes last: if it was what brought a worker down, it doesn't hold up the others.
    """
    pending = run.items.filter(state="pending").order_by("attempts", "pk").values_list("pk", "attempts")
    return list(islice((each for each in pending.iterator() if each not in tried), ROUND))


def _due(run: Run) -> list[int]:
    """Items whose background response is to be asked for."""
    return list(run.items.filter(state="waiting", poll_at__lte=timezone.now()).values_list("pk", flat=True))


def _in_threads(session: Session, work: Callable[[Session, int], None], item_ids: list[int]) -> None:
    """Do `work` for each item, as many at a time as the installation may have connections."""
    threads = min(session.run.installation.concurrent_connections, MAX_THREADS)
    with ThreadPoolExecutor(threads, thread_name_prefix=f"run {session.run.pk}") as pool:
        for _ in pool.map(lambda item_id: _one(session, work, item_id), item_ids):
            pass


def _one(session: Session, work: Callable[[Session, int], None], item_id: int) -> None:
    """One item in a thread. What goes wrong in an unforeseen way leaves the item to `recovery`, which reads the log first."""
    try:
        if not session.stopped():
            work(session, item_id)
    except Exception:
        log.exception("Item %s of run %s was left in the middle.", item_id, session.run.pk)
    finally:
        connection.close()


def _stop(run: Run, error: CallError) -> None:
    """The run as a whole was refused. Whoever waits in line goes on waiting there; else what is left has failed.

    A connection that is stopped has to be mended by somebody, so nothing waits for that: the failed are repeated by a click.
    """
    waits = isinstance(error, Rejected) and not isinstance(error, ConnectionStopped)
    if waits and run.installation.excess == "wait":
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
