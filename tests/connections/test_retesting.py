"""Connections are tested again in the background, and one that turned bad is told of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from connections import tasks
from connections.models import Connection
from logs.models import AuditEntry, Call
from tests import builders
from tests.connections.builders import always, error_answer, openai

LONG_AGO = timedelta(minutes=16)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    ids: list[int] = []
    monkeypatch.setattr(tasks, "retest", type("Line", (), {"enqueue": staticmethod(ids.append)}))
    return ids


def connection(ago: timedelta | None, **over: Any) -> Connection:
    return builders.connection(tested_at=timezone.now() - ago if ago else None, **over)


@pytest.mark.django_db
def test_what_was_tested_long_ago_is_put_in_line_once(queued: list[int]) -> None:
    due = connection(LONG_AGO, name="due")
    connection(timedelta(minutes=14), name="fresh")
    connection(None, name="never tested")
    for _ in range(2):
        tasks.retest_due()
    assert queued == [due.pk]


@pytest.mark.django_db
def test_a_test_that_was_lost_is_put_in_line_again_later(queued: list[int]) -> None:
    row = connection(LONG_AGO, retest_at=timezone.now() - timedelta(seconds=1))
    tasks.retest_due()
    assert queued == [row.pk]


@pytest.mark.django_db(transaction=True)
def test_a_key_that_turned_bad_is_told_on_the_first_page_and_in_the_trail(as_viewer: Browser, far_side: Any) -> None:
    row = connection(LONG_AGO, status="ok", last_ok_at=timezone.now() - LONG_AGO)
    builders.installation(connection=row)
    assert "fails." not in as_viewer.get("/installations/").content.decode()
    far_side(always(error_answer(401, "Incorrect API key provided.", "invalid_api_key")))
    for _ in range(2):
        tasks.retest.func(row.pk)
    page = as_viewer.get("/installations/").content.decode()
    for text in (f'<a href="/connections/{row.pk}/">OpenAI main</a> fails.', "Incorrect API key", "It last worked"):
        assert text in page
    far_side(openai())
    tasks.retest.func(row.pk)
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "actor_name")) == [
        ("found failing", "Patchbay"),
        ("found working again", "Patchbay"),
    ]
    assert set(Call.objects.values_list("cause", "actor")) == {("connection test", "Patchbay")}
    assert "fails." not in as_viewer.get("/installations/").content.decode()


@pytest.mark.django_db
def test_a_connection_that_was_deleted_meanwhile_is_no_error() -> None:
    tasks.retest.func(12345)


@pytest.mark.django_db
def test_no_test_begins_where_they_are_switched_off(queued: list[int], settings: Any) -> None:
    connection(LONG_AGO)
    settings.CONNECTION_TEST_SECONDS = 0
    tasks.retest_due()
    assert queued == []
