"""Rows written many at a time: stored as the models' own `save` would store them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, models

from logs import bulk
from logs.ids import uuid7
from logs.models import Attempt, Body, Call
from openai_api.models import Permit, Tally

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
MOMENTS = [NOON, NOON.replace(microsecond=40), NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))]
COSTS = [
    None,
    Decimal("0"),
    Decimal("0.000000001"),
    Decimal("12.3450000005"),
    Decimal("12.3450000015"),
    Decimal("1E-7"),
]


def a_call(**over: Any) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "operation": "create_response",
        "method": "POST",
        "path": "/responses",
        "correlation_id": "abc",
        "cause": "form",
        **over,
    }


def stored(model: type[models.Model], key: Any) -> dict[str, Any]:
    return model._default_manager.filter(pk=key).values().get()


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("cost", COSTS)
def test_a_row_is_stored_as_its_model_stores_it(moment: datetime, cost: Decimal | None) -> None:
    row = a_call(created_at=moment, cost=cost, stream=True, total_tokens=7)
    Call(**row).save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM logs_call")
        (by_model,) = cursor.fetchall()
        cursor.execute("DELETE FROM logs_call")
        bulk.insert(Call, [row])
        cursor.execute("SELECT * FROM logs_call")
        assert cursor.fetchall() == [by_model]


def test_what_a_row_does_not_name_has_its_default() -> None:
    before = datetime.now(UTC)
    bulk.insert(
        Attempt,
        [{"call_id": uuid7(), "number": 1, "queued_at": NOON}, {"call_id": uuid7(), "number": 2, "queued_at": NOON}],
    )
    first, second = Attempt.objects.order_by("number")
    assert first.pk != second.pk
    assert before <= first.started_at <= datetime.now(UTC)
    assert (first.state, first.rate_limits, first.finished_at, first.error_code) == ("sending", {}, None, "")


def test_many_rows_of_different_fields_go_in_one_by_one_too() -> None:
    rows = [a_call(model="gpt-6-luna"), a_call(tags="nightly"), a_call()]
    bulk.insert(Call, rows)
    assert [stored(Call, row["id"])["model"] for row in rows] == ["gpt-6-luna", "", ""]
    assert [stored(Call, row["id"])["tags"] for row in rows] == ["", "nightly", ""]


def test_more_rows_than_one_statement_takes() -> None:
    bulk.insert(Tally, [{"key": "k", "kind": "requests", "until": number, "amount": 1} for number in range(9_000)])
    assert Tally.objects.count() == 9_000


def test_a_row_that_is_there_is_left_or_added_to() -> None:
    call_id = uuid7()
    for text in ("first", "second"):
        bulk.insert(Body, [{"call_id": call_id, "attempt": 1, "text": text}], on=("call_id", "attempt"))
    assert Body.objects.get().text == "first"
    for amount in (2, 3):
        row = {"key": "k", "kind": "requests", "until": 9, "amount": amount}
        bulk.insert(Tally, [row], add_up="amount", on=("key", "kind", "until"))
    assert Tally.objects.get().amount == 5


def test_each_row_gets_its_own_change_and_no_other() -> None:
    rows = [a_call() for _ in range(3)]
    bulk.insert(Call, rows)
    changes = [{"id": row["id"], "model": f"model {place}", "finished_at": NOON} for place, row in enumerate(rows[:2])]
    bulk.update(Call, changes)
    assert [stored(Call, row["id"])["model"] for row in rows] == ["model 0", "model 1", ""]
    assert [stored(Call, row["id"])["finished_at"] for row in rows] == [NOON, NOON, None]


def test_a_change_under_a_condition() -> None:
    rows = [a_call(state="done"), a_call(state="sending")]
    bulk.insert(Call, rows)
    bulk.update(Call, [{"id": row["id"], "state": "failed"} for row in rows], where="t.state IN ('sending')")
    assert [stored(Call, row["id"])["state"] for row in rows] == ["done", "failed"]


def test_rows_are_deleted_by_key() -> None:
    keys = [uuid7() for _ in range(3)]
    row = {"key": "k", "holder": "web", "seconds": 1.0, "not_before": 0.0, "lease_until": 0.0}
    bulk.insert(Permit, [{"id": key, **row} for key in keys])
    bulk.delete(Permit, keys[:2])
    assert [permit.pk for permit in Permit.objects.all()] == keys[2:]


@pytest.mark.parametrize("moment", [*MOMENTS, NOON.replace(microsecond=999_999)])
@pytest.mark.parametrize("seconds", [0, 0.000_04, 0.000_039, 0.5, 1, 3_600.25])
def test_a_time_before_another_is_stored_as_its_model_stores_it(moment: datetime, seconds: float) -> None:
    row = a_call()
    moments = bulk.Moments(moment)
    bulk.insert(Call, [row | {"created_at": moments.now, "finished_at": moments.ago(seconds)}])
    found = Call.objects.get()
    assert (found.created_at, found.finished_at) == (moment, moment - timedelta(seconds=seconds))
    assert Call.objects.filter(finished_at=moment - timedelta(seconds=seconds)).exists()
