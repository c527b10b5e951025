"""The gate holds: more calls at once than a small test limit allows are all sent, and never too many in a window."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

from django.db import connection

from logs.models import Attempt
from openai_api.client import Client
from openai_api.errors import CallError
from openai_api.throttle import Throttle
from verification.subject import Outcome, Subject, call_ids, failed, link, log_links, passed, skipped

CALLS, LIMIT, SECONDS, SLOTS = 6, 3, 2.0, 2
# Less than this is the gate at work, not a wait for the window.
WAITED_MS = 100


def run(subject: Subject) -> Outcome:
    limits = Throttle(
        f"verification:{subject.verification.pk}", LIMIT, SECONDS, SLOTS, batches=1, wait=True, deadline=30.0
    )
    client = subject.client.with_throttle(limits)
    with ThreadPoolExecutor(CALLS) as pool:
        ends = list(pool.map(lambda _: _one(client, subject), range(CALLS)))
    calls = call_ids(end.call_id if isinstance(end, CallError) else end for end in ends)
    # A call that was sent measures the gate, however OpenAI answered it. One that was not sent measures nothing.
    if unsent := next((end for end in ends if isinstance(end, CallError) and not end.sent), None):
        return skipped(
            f"Too few calls could be sent to measure the limit. {unsent.sentence}",
            "See that the check of the connection passes and is quick, then run this check again.",
            evidence=log_links(calls),
            calls=calls,
        )
    log_url = f"{subject.log_url}&q=throttle"
    return _judge(calls, subject.installation.throttle, log_url)


def _one(client: Client, subject: Subject) -> UUID | CallError:
    try:
        return client.call("list_models", context=subject.context("throttle"), timeout=20.0).call_id
    except CallError as error:
        return error
    finally:
        connection.close()


def _judge(calls: tuple[str, ...], own: Throttle, log_url: str) -> Outcome:
    attempts = list(Attempt.objects.filter(call_id__in=calls).order_by("started_at"))
    most = most_within([attempt.started_at for attempt in attempts], SECONDS)
    waited = sum(1 for attempt in attempts if attempt.queue_ms >= WAITED_MS)
    facts = f"{len(calls)} calls at once against a test limit of {LIMIT} in {SECONDS:.0f} s"
    evidence = [link(f"{len(calls)} log entries", log_url)]
    if len(attempts) < CALLS or most > LIMIT or not waited:
        sentence = f"{facts}: {len(attempts)} are in the log, {most} were sent within {SECONDS:.0f} s, {waited} waited."
        remedy = "The gate did not hold as it must. Look at the log entries, and report this with them."
        return failed(sentence, remedy, evidence=evidence, calls=calls)
    return passed(
        f"{facts}: never more than {most} sent in {SECONDS:.0f} s, {waited} waited, none lost. "
        f"The installation's own limit, {own.limit} in {own.seconds:g} s, is held by the same gate.",
        evidence=evidence,
        calls=calls,
    )


def most_within(times: list[datetime], seconds: float) -> int:
    """The most of the times (in ascending order) that fall into any window of so many seconds."""
    counts = (
        sum(1 for other in times[index:] if (other - start).total_seconds() < seconds)
        for index, start in enumerate(times)
    )
    return max(counts, default=0)
