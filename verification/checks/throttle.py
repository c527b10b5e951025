"""The gate holds: more calls at once than a small test limit allows are all sent, and never too many in a window."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

from django.db import connection

from logs.models import Attempt
from openai_api.client import Client
from openai_api.errors import CallError, Refused
from openai_api.throttle import Throttle
from verification.subject import Outcome, Subject, call_ids, failed, failed_call, log_links, passed

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
    errors = [end for end in ends if isinstance(end, CallError)]
    # A key that may not list models is refused by OpenAI, after the gate: that measures the gate as well.
    if trouble := next((error for error in errors if not isinstance(error, Refused)), None):
        return failed_call(trouble)
    return _judge(call_ids(end.call_id if isinstance(end, CallError) else end for end in ends))


def _one(client: Client, subject: Subject) -> UUID | CallError:
    try:
        return client.call("list_models", context=subject.context("throttle"), timeout=20.0).call_id
    except CallError as error:
        return error
    finally:
        connection.close()


def _judge(calls: tuple[str, ...]) -> Outcome:
    attempts = list(Attempt.objects.filter(call_id__in=calls).order_by("started_at"))
    most = most_within([attempt.started_at for attempt in attempts], SECONDS)
    waited = sum(1 for attempt in attempts if attempt.queue_ms >= WAITED_MS)
    facts = f"{len(calls)} calls at once against a test limit of {LIMIT} in {SECONDS:.0f} s"
    evidence = log_links(calls)
    if len(attempts) < CALLS or most > LIMIT or not waited:
        sentence = f"{facts}: {len(attempts)} are in the log, {most} were sent within {SECONDS:.0f} s, {waited} waited."
        remedy = "The gate did not hold as it must. Look at the log entries, and report this with them."
        return failed(sentence, remedy, evidence=evidence, calls=calls)
    return passed(
        f"{facts}: never more than {most} sent in {SECONDS:.0f} s, {waited} waited, none lost.",
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
