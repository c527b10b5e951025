"""A connection that keeps failing is stopped, says so wherever it is shown, and is brought back by a probe."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from connections import tasks
from connections.clients import client_for
from connections.models import Connection, Installation
from logs.models import AuditEntry
from openai_api import errors
from openai_api.gate import circuits
from openai_api.models import Hold
from openai_api.retries import RetryPolicy
from tests import builders, people
from tests.connections.builders import always, error_answer, models_answer, openai

pytestmark = pytest.mark.django_db(transaction=True)
BAD_KEY = error_answer(401, "Incorrect API key provided.", "invalid_api_key")
NO_CREDIT = error_answer(429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota")


@pytest.fixture(autouse=True)
def line(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Probes that were put in line; a test makes them itself."""
    ids: list[int] = []
    monkeypatch.setattr(
        tasks, "retest", type("Line", (), {"enqueue": staticmethod(ids.append), "func": tasks.retest.func})
    )
    return ids


def ask(installation: Installation) -> Any:
    once = RetryPolicy(count=0)
    return client_for(installation).call("create_response", json={}, context=builders.context(), retries=once)


def stopped(far_side: Any, answer: Any = BAD_KEY) -> Installation:
    """An installation whose connection has just failed three times."""
    far_side(always(answer))
    installation = builders.installation()
    for _ in range(3):
        with pytest.raises(errors.Refused):
            ask(installation)
    return installation


def time_has_come() -> None:
    Hold.objects.filter(kind="circuit").update(until=0)


def actions_told() -> list[str]:
    return list(AuditEntry.objects.filter(object_kind="connection").order_by("pk").values_list("action", flat=True))


def test_a_stopped_connection_says_so_wherever_it_is_shown(far_side: Any) -> None:
    installation = stopped(far_side)
    vera, omar = people.signed_in(people.viewer_vera()), people.signed_in(people.operator_omar())
    own = f"/connections/{installation.connection_id}/"
    for address in ("/connections/", own):
        page = vera.get(address).content.decode()
        assert "Stopped" in page and "Incorrect API key" in page, address
    for address in ("/installations/", f"/installations/{installation.pk}/"):
        page = vera.get(address).content.decode()
        assert page.count("Connection stopped") == 1 and "Stopped" not in page, f"{address} says it once."
    assert "tries it again by itself" in vera.get(own).content.decode()
    for address in ("/log/", "/runs/"):
        assert "OpenAI main is stopped." in omar.get(address).content.decode()
        assert "OpenAI main is stopped." not in vera.get(address).content.decode()
    first = omar.get("/installations/").content.decode()
    assert first.count("Incorrect API key") == 1, "The first page says it once."
    page = omar.get(f"/installations/{installation.pk}/").content.decode()
    assert page.count("Incorrect API key") == 1, "So does its own page."


def test_several_connections_in_trouble_take_a_line_each_above_other_pages(far_side: Any) -> None:
    installation = stopped(far_side)
    builders.installation(name="Other", webhook_key="x", connection=builders.connection(name="Old", status="failed"))
    omar = people.signed_in(people.operator_omar())
    page = omar.get("/log/").content.decode()
    assert "OpenAI main is stopped." in page and "Old fails." in page and "Incorrect API key" not in page
    page = omar.get(f"/installations/{installation.pk}/").content.decode()
    assert "Old fails." in page and "OpenAI main is stopped." not in page


def test_all_processes_refuse_its_calls_and_the_trail_tells_once(far_side: Any) -> None:
    installation = stopped(far_side)
    # What another process would see stands in the database alone.
    assert list(circuits.stops()) == [installation.connection.hold_key]
    with pytest.raises(errors.ConnectionStopped, match="Incorrect API key"):
        ask(installation)
    for _ in range(2):
        tasks.probe_stopped()
    assert actions_told() == ["stopped calls of"]
    assert "Incorrect API key" in str(AuditEntry.objects.get().changes)


def test_a_probe_is_made_when_its_time_has_come_and_by_one_process_only(far_side: Any, line: list[int]) -> None:
    installation = stopped(far_side)
    tasks.probe_stopped()
    assert line == [], "The first probe comes after fifteen seconds."
    time_has_come()
    for _ in range(2):
        tasks.probe_stopped()
    assert line == [installation.connection_id]


def test_a_probe_that_passes_starts_it_again(far_side: Any, line: list[int]) -> None:
    installation = stopped(far_side)
    tasks.probe_stopped()
    far_side(openai())
    tasks.retest.func(installation.connection_id)
    assert actions_told() == ["stopped calls of", "let calls pass again of"]
    ask(installation)
    assert Connection.objects.get().state_info.value == "ok"


def test_a_probe_that_fails_makes_the_next_one_come_later(far_side: Any) -> None:
    installation = stopped(far_side)
    Hold.objects.update(since=circuits.clock() - 100)
    tasks.retest.func(installation.connection_id)
    left = circuits.stops()[installation.connection.hold_key].next_probe.timestamp() - circuits.clock()
    assert 95 < left < 110
    assert Connection.objects.get().status == "failed"


def test_test_now_starts_it_again_at_once(far_side: Any, as_operator: Browser) -> None:
    installation = stopped(far_side)
    far_side(openai())
    page = as_operator.post(f"/connections/{installation.connection_id}/test/", follow=True).content.decode()
    assert "Stopped" not in page and "Working" in page
    ask(installation)


def test_no_credit_is_tried_by_the_next_call_since_a_test_costs_nothing(far_side: Any) -> None:
    installation = stopped(far_side, NO_CREDIT)

    def broke(request: Any) -> Any:
        return models_answer("gpt-6-luna") if request.method == "GET" else always(NO_CREDIT)(request)

    far_side(broke)
    tasks.retest.func(installation.connection_id)
    with pytest.raises(errors.NoCredit):
        ask(installation)
    with pytest.raises(errors.ConnectionStopped):
        ask(installation)
    far_side(openai())
    tasks.retest.func(installation.connection_id)
    ask(installation)
    assert not Hold.objects.exists()


def test_a_failure_of_long_ago_does_not_make_the_first_probe_wait(far_side: Any) -> None:
    far_side(always(BAD_KEY))
    installation = builders.installation()
    for _ in range(2):
        with pytest.raises(errors.BadKey):
            ask(installation)
    Hold.objects.update(since=0, until=15)
    with pytest.raises(errors.BadKey):
        ask(installation)
    left = circuits.stops()[installation.connection.hold_key].next_probe.timestamp() - circuits.clock()
    assert 14 < left < 16


def test_a_deleted_connection_leaves_nothing_to_probe(far_side: Any, as_administrator: Browser) -> None:
    installation = stopped(far_side)
    installation.delete()
    as_administrator.post(f"/connections/{installation.connection_id}/delete/")
    assert not Hold.objects.exists()
