"""The limits beyond the window: typed, kept, in force at the gate, and seen at a glance where an installation is listed."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from connections import actions
from connections.clients import client_for
from connections.gauges import live
from connections.installation_forms import InstallationForm, ThrottleForm
from connections.models import Installation
from logs.audit import SYSTEM
from logs.models import AuditEntry, Call
from openai_api import errors
from openai_api.gate import clock
from openai_api.models import Hold, Tally
from openai_api.retries import RetryPolicy
from openai_api.throttle import NANO, Budget
from tests import builders
from tests.connections.builders import always, answers, draft, error_answer, throttle
from tests.forms import Reading

MORE = {
    "window_mode": "sent",
    "tokens_per_minute": "90,000",
    "day_dollars": "$2.50",
    "month_dollars": "40",
    "month_tokens": "3000000",
    "warn_percent": "70",
    "retry_count": "4",
    "retry_wait": "fixed",
    "retry_delay": "1.5",
    "retry_all": "on",
}


def spend(installation: Installation, kind: str, amount: float) -> None:
    unit = NANO if kind.endswith("cost") else 1
    until = round((clock() + 3600) * 1000)
    Tally.objects.create(key=f"installation:{installation.pk}", kind=kind, amount=round(amount * unit), until=until)


def read(page: str) -> str:
    return " ".join(page.split()).replace("&#x27;", "'")


@pytest.mark.django_db
def test_what_is_left_empty_is_as_the_form_proposes_it() -> None:
    form = InstallationForm(answers())
    assert form.is_valid(), form.errors
    made = Installation(**{name: form.cleaned_data[name] for name in Installation.LIMITS})
    assert made.throttle == Installation().throttle and made.retry_policy == Installation().retry_policy
    assert (made.budgets, made.throttle.from_sent, made.throttle.tokens) == ((), False, 0)


@pytest.mark.django_db
def test_all_that_can_be_typed_reaches_the_gate_and_the_client() -> None:
    form = InstallationForm(answers(**MORE))
    assert form.is_valid(), form.errors
    made = actions.create_installation(SYSTEM, connection=builders.connection(), **form.fields_of_installation())
    client = client_for(Installation.objects.get(pk=made.installation.pk))
    assert (client.throttle.from_sent, client.throttle.tokens) == (True, 90_000)
    month = Budget("month", cost=40 * NANO, tokens=3_000_000, warn=70)
    assert client.throttle.budgets == (Budget("day", cost=5 * NANO // 2, warn=70), month)
    assert client.retries == RetryPolicy(count=4, delay=1.5, backoff=False, cap=60.0, on_all_errors=True)
    said = AuditEntry.objects.get().changes
    assert (said["day_dollars"], said["retry_count"], said["throttle_limit"]) == (
        [None, "2.50"],
        [None, 4],
        [None, 500],
    )


def test_a_limit_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(TypeError, match="has no limit"):
        actions.create_installation(SYSTEM, name="x", connection=None, model="m", day_euros=3)  # type: ignore[arg-type]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("tokens_per_minute", "0", "0 is too little. Enter 1 to 100,000,000,000."),
        ("day_dollars", "free", "“free” is not a number with at most two decimals. Enter 0.01 to 1,000,000 dollars."),
        ("day_dollars", "0", "0 is too little. Enter 0.01 to 1,000,000 dollars."),
        ("month_dollars", "1000000.01", "1000000.01 is too much. Enter 0.01 to 1,000,000 dollars."),
        ("day_tokens", "1.5", "“1.5” is not a whole number. Enter 1 to 100,000,000,000."),
        ("warn_percent", "101", "101 is more than a whole budget. Enter 1 to 100."),
        ("retry_count", "11", "11 is more than a call is tried again. Enter 0 to 10."),
        ("retry_delay", "121", "121 is too much. Enter 0 to 120 seconds."),
        ("window_mode", "loose", "loose is not one of the choices. Choose another."),
    ],
)
def test_a_wrong_limit_is_told_beside_its_field_which_is_not_folded_away(field: str, typed: str, sentence: str) -> None:
    form = ThrottleForm(throttle(**{field: typed}))
    assert form.errors == {field: [sentence]}
    assert form.sets_more and not ThrottleForm(throttle()).sets_more


@pytest.mark.django_db
def test_an_administrator_sets_a_budget_and_takes_it_away_again(as_administrator: Browser) -> None:
    made = builders.installation()
    reading = Reading(as_administrator, f"/installations/{made.pk}/edit/")
    assert '<details class="more stack">' in reading.text
    reading.press("Save changes", **MORE)
    assert "$2.50 a day, $40.00 and 3,000,000 tokens a month; warns from 70 %" in read(reading.text)
    assert "4 after the first, 1.5 s apart; on all errors" in read(reading.text)
    reading.open(f"/installations/{made.pk}/edit/")
    assert '<details class="more stack" open>' in reading.text
    reading.press("Save changes", retry_cap="60")
    assert [entry.changes for entry in AuditEntry.objects.order_by("pk")][1:] == [{}], "nothing was changed"
    reading.open(f"/installations/{made.pk}/edit/")
    reading.press("Save changes", day_dollars="")
    assert Installation.objects.get().day_dollars is None
    assert AuditEntry.objects.order_by("pk")[2].changes == {"day_dollars": ["2.50", None]}


@pytest.mark.django_db
def test_the_guided_form_keeps_and_reviews_budgets(as_administrator: Browser) -> None:
    here = draft()
    reading = Reading(as_administrator, f"/installations/drafts/{here.pk}/throttle/")
    reading.press("Continue", **throttle(**MORE))
    reading.open(f"/installations/drafts/{here.pk}/review/")
    assert "$2.50 a day, $40.00 and 3,000,000 tokens a month" in read(reading.text)
    assert "90,000 a minute" in read(reading.text)


@pytest.mark.django_db(transaction=True)
def test_an_installations_own_policy_decides_where_a_call_has_none(far_side: Any) -> None:
    seen: list[str] = []
    far_side(lambda request: (seen.append("x"), always(error_answer(500, "Oh", "server_error"))(request))[1])
    client = client_for(builders.installation(retry_count=1, retry_wait="fixed", retry_delay=0.0))
    with pytest.raises(errors.ServerFailed):
        client.call("list_models", context=builders.context())
    assert len(seen) == 2
    with pytest.raises(errors.ServerFailed):
        client.call("list_models", context=builders.context(), retries=RetryPolicy(count=0))
    assert len(seen) == 3


@pytest.mark.django_db(transaction=True)
def test_a_spent_budget_refuses_calls_and_says_until_when_wherever_the_installation_is_listed(
    far_side: Any, as_viewer: Browser
) -> None:
    far_side(lambda request: httpx.Response(200, json={"object": "list", "data": []}))
    installation = builders.installation(day_dollars=Decimal(2), month_tokens=1000)
    spend(installation, "month-tokens", 850)
    for address in ("/installations/", f"/installations/{installation.pk}/", "/verification/"):
        page = read(as_viewer.get(address).content.decode())
        assert "85 % of the month's budget" in page and "/help/PB-2007/" in page, address
    spend(installation, "day-cost", 2)
    with pytest.raises(errors.BudgetSpent):
        client_for(installation).call("list_models", context=builders.context())
    for address in ("/installations/", f"/installations/{installation.pk}/", "/verification/"):
        page = read(as_viewer.get(address).content.decode())
        assert "Budget of the day spent" in page, address
        assert "$2.00 of $2.00 a day are spent. All calls are refused until " in page, address
    assert Call.objects.get().error_code == "budget"


@pytest.mark.django_db
def test_htmx_gets_the_gauge_and_the_table_alone(as_viewer: Browser) -> None:
    installation = builders.installation()
    for address, begins in ((f"/installations/{installation.pk}/", '<section class="card" id="gauge"'),
                            ("/installations/", '<section class="card" id="installations"')):  # fmt: skip
        part = as_viewer.get(address, headers={"HX-Request": "true"}).content.decode()
        assert part.lstrip().startswith(begins) and "every 2s" in part and "<html" not in part
        assert part.count("<a ") == len(re.findall(r"<a [^>]*id=", part)), "a link that has an id keeps the focus"


@pytest.mark.django_db
def test_the_list_costs_the_same_few_queries_however_many_installations_there_are(
    as_viewer: Browser, django_assert_max_num_queries: Any
) -> None:
    connection = builders.connection()
    for number in range(12):
        builders.installation(name=f"No. {number}", connection=connection, webhook_key=f"whk_{number}")
    with django_assert_max_num_queries(11):
        as_viewer.get("/installations/")


@pytest.mark.django_db
def test_the_worst_comes_first() -> None:
    installation = builders.installation(day_tokens=100)
    spend(installation, "day-tokens", 90)
    key = installation.connection.hold_key
    Hold.objects.create(key=f"{key}/gpt-6-luna", kind="requests", until=clock() + 60, words="none are left")
    assert [alert.label for alert in live([installation])[0].alerts] == [
        "90 % of the day's budget",
        "Parked: gpt-6-luna",
    ]
    Hold.objects.create(key=key, kind="circuit", until=clock() + 60, failures=3, words="The key was refused.")
    first = live([installation])[0]
    assert (first.state.label, first.state.tone) == ("Connection stopped", "bad")
    assert "failed 3 times in a row" in first.alerts[0].sentence and "tried again in" in first.alerts[0].sentence


@pytest.mark.django_db
def test_the_command_prints_the_gauge_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    installation = builders.installation(day_dollars=Decimal("0.50"))
    spend(installation, "day-cost", 0.45)
    call_command("gauge", "OpenAI - Test")
    said = json.loads(capsys.readouterr().out)
    assert (said["installation"], said["window"]["limit"], said["stopped"]) == ("OpenAI - Test", 500, None)
    day = said["purses"][0]
    assert (day["period"], day["unit"], day["spent"], day["limit"], day["share"]) == ("day", "dollars", 0.45, 0.5, 90.0)
    assert said["alerts"][0]["help_code"] == "PB-2007"
    with pytest.raises(CommandError, match="No installation is called “nope”"):
        call_command("gauge", "nope")
