"""A call that stands in line says on its page what it waits for, and so does the gauge of its installation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client as Browser

from connections.gauges import live
from connections.models import Installation
from connections.waits import waits_for
from logs.models import Call
from openai_api.gate import clock
from openai_api.models import Hold, Permit, Tally
from tests import builders
from tests.logs.builders import call

pytestmark = pytest.mark.django_db


def narrow(**over: Any) -> Installation:
    return builders.installation(throttle_limit=20, throttle_seconds=1, concurrent_connections=2, **over)


def permit(installation: Installation, **over: Any) -> Permit:
    now = clock()
    hold_key = f"{installation.connection.hold_key}/gpt-6-luna"
    times = {"seconds": 1.0, "not_before": now - 3, "lease_until": now + 60}
    named = {"key": f"installation:{installation.pk}", "hold_key": hold_key, "holder": "web-1"}
    return Permit.objects.create(**{**named, **times, **over})


def in_line(installation: Installation, rank: int = 1, **over: Any) -> Call:
    row = call(state="queued", attempts=0, finished_at=None, installation_id=installation.pk)
    permit(installation, call_id=row.pk, rank=rank, **over)
    return row


def use_up(installation: Installation, kind: str, amount: int, seconds: float) -> None:
    until = round((clock() + seconds) * 1000)
    Tally.objects.create(key=f"installation:{installation.pk}", kind=kind, amount=amount, until=until)


def test_it_names_the_window_that_is_used_up_and_when_its_next_place_is_free(as_viewer: Browser) -> None:
    installation = narrow()
    use_up(installation, "requests", 20, 30.0)
    row = in_line(installation)
    said = r"Waits for a place in the window of 20 in 1 s, free in (29\.\d|30\.0) s\. It is the first in line\."
    assert re.fullmatch(said, waits_for(row))
    assert "Waits for a place in the window of 20 in 1 s" in as_viewer.get(f"/log/{row.pk}/").content.decode()
    page = as_viewer.get(f"/installations/{installation.pk}/", headers={"hx-request": "true"}).content.decode()
    assert "<dt>Waits for</dt><dd>a place in the window of 20 in 1 s</dd>" in page


def test_it_names_the_connections_that_are_all_in_use_and_who_stands_before_it() -> None:
    installation = narrow()
    permit(installation, state="held")
    permit(installation, state="held")
    first, second, third = (in_line(installation, rank) for rank in (1, 2, 3))
    assert waits_for(first) == "Waits for one of 2 connections, all in use. It is the first in line."
    assert waits_for(second) == "Waits for one of 2 connections, all in use. 1 stands before it in line."
    assert waits_for(third).endswith("2 stand before it in line.")
    assert live([installation])[0].as_json["waits_for"] == "one of 2 connections, all in use"


def test_it_names_the_tokens_of_the_minute() -> None:
    installation = narrow(tokens_per_minute=1000)
    use_up(installation, "tokens", 900, 30.0)
    assert "tokens of the minute: 900 of 1,000 are used or reserved" in waits_for(in_line(installation, tokens=300))


def test_a_line_that_waits_for_tokens_is_not_said_to_be_free(as_viewer: Browser) -> None:
    installation = narrow(tokens_per_minute=1000)
    use_up(installation, "tokens", 900, 30.0)
    in_line(installation, tokens=100)
    assert not live([installation])[0].gauge.saturated, "100 are left, and its turn comes"
    use_up(installation, "tokens", 1, 30.0)
    page = as_viewer.get(f"/installations/{installation.pk}/", headers={"hx-request": "true"}).content.decode()
    assert "Saturated" in page and "free now" not in page
    assert "<dt>Waits for</dt><dd>tokens of the minute: 901 of 1,000 are used or reserved</dd>" in page


def test_it_names_openais_own_limit_of_its_model_alone() -> None:
    installation = narrow()
    key = f"{installation.connection.hold_key}/gpt-6-luna"
    Hold.objects.create(key=key, kind="requests", until=clock() + 30, words="no requests are left")
    assert "Waits for OpenAI's own limit of gpt-6-luna, free again in" in waits_for(in_line(installation))
    other = in_line(installation, hold_key=f"{installation.connection.hold_key}/gpt-6-sol")
    assert waits_for(other).startswith("Waits for its turn. 1 stands before it")


@pytest.mark.parametrize(
    "over",
    [{"state": "held"}, {"lease_until": 1.0}, {"not_before": 4e9}],
    ids=["let in", "of a dead process", "resting"],
)
def test_what_stands_in_no_line_waits_for_nothing(over: dict[str, Any]) -> None:
    installation = narrow()
    assert waits_for(in_line(installation, **over)) == ""
    assert live([installation])[0].waits_for == ""


def test_a_call_whose_installation_was_deleted_says_nothing_wrong(as_viewer: Browser) -> None:
    row = call(state="queued", attempts=0, finished_at=None, installation_id=4711, connection_id=None)
    Permit.objects.create(key="installation:4711", call_id=row.pk, seconds=1, not_before=1, lease_until=clock() + 9)
    assert waits_for(row) == ""
    assert "Still waiting" in as_viewer.get(f"/log/{row.pk}/").content.decode()
