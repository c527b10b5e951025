"""Running the checks of a verification, one after the other, and writing down what each found."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from connections.models import Installation
from logs import audit
from logs.audit import Actor
from openai_api.errors import CallError
from verification.checks import CHECKS
from verification.models import CheckResult, Verification
from verification.subject import Outcome, Subject, failed, failed_call

log = logging.getLogger(__name__)


def new_verification(actor: Actor, installation: Installation, slugs: Iterable[str] | None = None) -> Verification:
    """A verification with its checks waiting: those named, or all. Raises KeyError for a name that no check has."""
    chosen = [CHECKS[slug] for slug in slugs] if slugs else list(CHECKS.values())
    with transaction.atomic():
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
    for result in verification.results.filter(state__in=("waiting", "running")):
        if not verification.keep():
            return
        # Read anew for each check: an earlier one may have changed what is known of the connection.
        installation = Installation.objects.select_related("connection").get(pk=verification.installation_id)
        _run(result, Subject(installation, verification))
    _end(verification)


def _run(result: CheckResult, subject: Subject) -> None:
    result.state, result.started_at = "running", timezone.now()
    result.save(update_fields=["state", "started_at"])
    outcome = try_check(result.slug, subject)
    result.state, result.finished_at = outcome.state, timezone.now()
    result.sentence, result.remedy, result.help_code = outcome.sentence, outcome.remedy, outcome.help_code
    result.evidence, result.call_ids = outcome.evidence, list(outcome.calls)
    result.save()


def try_check(slug: str, subject: Subject) -> Outcome:
    """Run one check. Whatever goes wrong inside it becomes an outcome with a sentence."""
    try:
        return CHECKS[slug].run(subject)
    except CallError as error:
        return failed_call(error)
    except Exception as error:
        log.error("Check %s ended with %s", slug, type(error).__name__, exc_info=error)
        return failed(
            f"Patchbay could not carry out this check ({type(error).__name__}). The server's log has the details.",
            "Run this check again. If it fails again, report it with the server's log.",
        )


def _end(verification: Verification) -> None:
    state = "failed" if verification.results.filter(state="failed").exists() else "passed"
    Verification.objects.filter(pk=verification.pk, lease_token=verification.lease_token).update(
        state=state, finished_at=timezone.now(), lease_token="", lease_until=None
    )
