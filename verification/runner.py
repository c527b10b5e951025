"""Running the checks of a verification, one after the other, and writing down what each found."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from connections.models import Installation
from connections.sealing import CannotOpen
from logs import audit
from logs.audit import Actor
from openai_api.errors import CallError
from ui.formats import clock
from verification.checks import CHECKS, workflow
from verification.models import CheckResult, Verification
from verification.subject import Outcome, Subject, failed, failed_call

RENEW = 4.0
INTERRUPTED = "Patchbay stopped while this check ran, so how it would have ended is not known."
log = logging.getLogger(__name__)


class UnderWay(Exception):
    """Another verification of the same installation has not ended. The message is safe to show."""

    def __init__(self, verification: Verification) -> None:
        by = f" by {verification.actor}" if verification.actor else ""
        super().__init__(
            f"A verification that was started at {clock(verification.created_at)}{by} is still under way. "
            "Wait for its end, then run the checks you want again."
        )
        self.verification = verification


def new_verification(actor: Actor, installation: Installation, slugs: Iterable[str] | None = None) -> Verification:
    """A verification with its checks waiting: those named, or all.

    Raises KeyError for a name that no check has, and UnderWay while another one is open: two at once would count each
    other's calls.
    """
    chosen = [CHECKS[slug] for slug in slugs] if slugs else list(CHECKS.values())
    with transaction.atomic():
        # Whoever comes second waits here, and then finds the first one's row.
        Installation.objects.select_for_update().get(pk=installation.pk)
        if running := Verification.objects.open().filter(installation=installation).first():
            raise UnderWay(running)
        verification = Verification.objects.create(installation=installation, actor=actor.name)
        CheckResult.objects.bulk_create(
            CheckResult(verification=verification, slug=check.slug, title=check.title, order=order)
            for order, check in enumerate(chosen)
        )
        audit.write(actor, "verified", "installation", installation.pk, installation.name)
    return verification


def execute(verification_id: int) -> None:
    """Run what is not done yet. Harmless to call twice: one process holds the lease."""
    verification = Verification.objects.claim(verification_id)
    if verification is None:
        return
    with _kept(verification):
        _close_interrupted(verification)
        for result in verification.results.filter(state="waiting"):
            if not verification.keep():
                return
            # Read anew for each check: an earlier one may have changed what is known of the connection.
            installation = Installation.objects.select_related("connection").get(pk=verification.installation_id)
            _run(result, Subject(installation, verification))
        _end(verification)


@contextmanager
def _kept(verification: Verification) -> Iterator[None]:
    """Renew the lease in a thread for as long as the checks run: one of them may take longer than the lease."""
    over = threading.Event()

    def renew() -> None:
        try:
            while not over.wait(RENEW):
                try:
                    verification.keep()
                except DatabaseError:
                    log.warning("The lease of verification %s could not be renewed just now.", verification.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name=f"verification {verification.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _close_interrupted(verification: Verification) -> None:
    """A check that a killed process left in the middle has failed: it may have paid, so it is not repeated unasked."""
    left = verification.results.filter(state="running")
    remedy = "Run this check again. What it had started by then stands under Runs and in the log."
    if left.update(state="failed", sentence=INTERRUPTED, remedy=remedy, finished_at=timezone.now()):
        workflow.clear(Subject(verification.installation, verification))


def _run(result: CheckResult, subject: Subject) -> None:
    CheckResult.objects.filter(pk=result.pk).update(state="running", started_at=timezone.now())
    outcome = try_check(result.slug, subject)
    # Whoever has taken over meanwhile has closed this check.
    ours = CheckResult.objects.filter(pk=result.pk, verification__lease_token=subject.verification.lease_token)
    ours.update(
        state=outcome.state,
        finished_at=timezone.now(),
        sentence=outcome.sentence,
        remedy=outcome.remedy,
        help_code=outcome.help_code,
        evidence=outcome.evidence,
        call_ids=list(outcome.calls),
    )


def try_check(slug: str, subject: Subject) -> Outcome:
    """Run one check. Whatever goes wrong inside it becomes an outcome with a sentence."""
    try:
        return CHECKS[slug].run(subject)
    except CallError as error:
        return failed_call(error)
    except CannotOpen as error:
        return failed(
            str(error), "Put that key back into SEALING_KEYS, or replace the secret. Then run this check again."
        )
    except Exception as error:
        log.error("Check %s ended with %s", slug, type(error).__name__, exc_info=error)
        return failed(
            f"Patchbay could not carry out this check ({type(error).__name__}). The server's log has the details.",
            "Run this check again. If it fails again, report it with the server's log.",
        )


def _end(verification: Verification) -> None:
    found = set(verification.results.values_list("state", flat=True))
    state = "failed" if "failed" in found else "partly" if {"passed", "skipped"} <= found else found.pop()
    Verification.objects.filter(pk=verification.pk, lease_token=verification.lease_token).update(
        state=state, finished_at=timezone.now(), lease_token="", lease_until=None
    )
