"""Testing connections again in the background, so that a key that turned bad is known before a run needs it."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django_tasks import task

from connections import actions
from connections.models import Connection
from logs.audit import SYSTEM

EVERY = timedelta(hours=6)


def retest_due() -> None:
    """Put in line what was tested last long ago. Of several workers one wins; what was never tested is left alone."""
    now = timezone.now()
    due = Connection.objects.filter(Q(retest_at=None) | Q(retest_at__lte=now), tested_at__lte=now - EVERY)
    for pk in due.values_list("pk", flat=True):
        if due.filter(pk=pk).update(retest_at=now + EVERY):
            retest.enqueue(pk)


@task()
def retest(pk: int) -> None:
    """Harmless to run twice: a test changes nothing at OpenAI."""
    connection = Connection.objects.filter(pk=pk).first()
    if connection is not None:
        tested = actions.test_connection(connection, actions.test_context(connection, SYSTEM))
        actions.record_turn(connection, tested)
