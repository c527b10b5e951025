"""Testing connections again in the background: so that a key that turned bad is known before a run needs it, and so that
one that was stopped is found out to work again.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django_tasks import task

from connections import actions
from connections.models import Connection
from logs.audit import SYSTEM
from openai_api.gate import circuits


def retest_due() -> None:
    """Put in line what was tested last long ago. Of several workers one wins; what was never tested is left alone."""
    every = timedelta(seconds=settings.CONNECTION_TEST_SECONDS)
    if not every:
        return
    now = timezone.now()
    due = Connection.objects.filter(Q(retest_at=None) | Q(retest_at__lte=now), tested_at__lte=now - every)
    for pk in due.values_list("pk", flat=True):
        if due.filter(pk=pk).update(retest_at=now + every):
            retest.enqueue(pk)


def probe_stopped() -> None:
    """Put in line what is stopped and may be tried again, and write down what was stopped or started meanwhile.

    Stopped connections are probed also where tests in the background are switched off: nothing else would start them again.
    """
    actions.record_stops()
    for key in circuits.claim_probes():
        retest.enqueue(int(key.rpartition(":")[2]))


@task()
def retest(pk: int) -> None:
    """Harmless to run twice: a test changes nothing at OpenAI."""
    connection = Connection.objects.filter(pk=pk).first()
    if connection is not None:
        tested = actions.test_connection(connection, actions.test_context(connection, SYSTEM))
        actions.record_turn(connection, tested)
