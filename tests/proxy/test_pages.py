"""The proxy's pages: make a token, see it once, look at it, revoke it; and the same by command."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.utils import timezone

from logs.models import AuditEntry
from proxy import actions
from proxy.models import Knock, Token, digest
from tests import builders
from tests.forms import Reading
from tests.logs.builders import call
from tests.proxy.builders import ADA, token

pytestmark = pytest.mark.django_db
SECRET = re.compile(r"pbt_[\w-]{40,}")


def errors_of(page: str) -> list[str]:
    found = re.findall(r'<p class="error" id="[^"]+">.*?<span>(.*?)</span></p>', page, re.DOTALL)
    return [" ".join(text.split()) for text in found]


def test_a_token_is_made_and_shown_once_with_all_that_a_program_needs(as_administrator: Browser) -> None:
    here = builders.installation()
    reading = Reading(as_administrator, f"/installations/{here.pk}/")
    reading.follow("Proxy")
    reading.follow("New token")
    assert reading.form("Make token").values["installations"] == str(here.pk), "it came from that installation's page"
    reading.press("Make token", name="Shop")
    (secret,) = set(SECRET.findall(reading.text))
    assert "Copy the token now. It is shown this once." in reading.text
    assert f"http://127.0.0.1:8000/proxy/{here.pk}/v1" in reading.text
    assert "from openai import OpenAI" in reading.text and "curl http" in reading.text
    assert "no-store" in reading.headers["Cache-Control"]
    row = Token.objects.get()
    assert (row.digest, row.last4, row.created_by) == (digest(secret), secret[-4:], "ada")
    assert list(row.installations.all()) == [here]
    for address in ("/tokens/", f"/tokens/{row.pk}/", f"/installations/{here.pk}/proxy/", "/audit/"):
        page = as_administrator.get(address).content.decode()
        assert "Shop" in page and not SECRET.search(page), address
        assert secret[-4:] in page, address


def test_a_form_that_is_refused_says_what_is_missing_and_keeps_the_rest(as_administrator: Browser) -> None:
    here = builders.installation()
    reading = Reading(as_administrator, "/tokens/new/")
    reading.press("Make token", name=" ")
    assert errors_of(reading.text) == [
        "A token needs a name. Enter that of the program that will use it.",
        "A token opens at least one installation. Choose one.",
    ]
    reading.press("Make token", name="x" * 121, installations=str(here.pk))
    assert errors_of(reading.text) == ["This is too long. Enter 120 characters at most."]
    assert reading.form("Make token").values["installations"] == str(here.pk)
    answer = as_administrator.post("/tokens/new/", {"name": "Shop", "installations": ["77", "x"]})
    assert "There is no such installation any more." in answer.content.decode()
    assert not Token.objects.exists()


def test_without_an_installation_there_is_nothing_to_open(as_administrator: Browser) -> None:
    assert "A token opens installations. Make one first." in Reading(as_administrator, "/tokens/new/").text
    assert "There is no installation yet." in Reading(as_administrator, "/tokens/").text


def test_a_token_is_revoked_after_a_question_that_names_it(as_administrator: Browser) -> None:
    token(name="Shop & “more”")
    reading = Reading(as_administrator, f"/tokens/{Token.objects.get().pk}/")
    assert "Revoke “Shop &amp; “more””" in reading.text
    reading.press("Revoke token")
    assert "was revoked. Programs that send it are refused from now on." in reading.text and "Revoked" in reading.text
    row = Token.objects.get()
    assert (row.revoked_by, row.revoked_at is not None) == ("ada", True)
    assert "Revoke token" not in reading.text


def test_both_leave_a_line_in_the_audit_trail_and_a_second_revoking_none() -> None:
    secret = token(builders.installation(), name="Shop")
    row = actions.revoke_token(ADA, Token.objects.get())
    before = row.revoked_at
    assert actions.revoke_token(ADA, row).revoked_at == before
    made, revoked = AuditEntry.objects.order_by("id")
    assert [(line.actor_name, line.action, line.object_kind, line.object_name) for line in (made, revoked)] == [
        ("ada", "created", "token", "Shop"),
        ("ada", "revoked", "token", "Shop"),
    ]
    assert made.changes["installations"] == [None, "OpenAI - Test"]
    assert secret not in str(AuditEntry.objects.values()) and digest(secret) not in str(AuditEntry.objects.values())


def test_a_viewer_sees_everything_but_what_changes_it(as_viewer: Browser) -> None:
    here = builders.installation()
    secret = token(here)
    row = Token.objects.get()
    for address in ("/tokens/", f"/tokens/{row.pk}/", f"/installations/{here.pk}/proxy/"):
        page = as_viewer.get(address).content.decode()
        assert f"pbt_••••{secret[-4:]}" in page and f"/proxy/{here.pk}/v1" in page
        assert not SECRET.search(page) and row.digest not in page
        assert "New token" not in page and "Revoke" not in page


def test_what_knocked_is_shown_by_day(as_viewer: Browser) -> None:
    now = timezone.now()
    Knock.objects.create(
        day=now.date(),
        reason="no valid token",
        count=10_000,
        last_at=now,
        address="198.51.100.7",
        path="/proxy/1/v1/<x>",
    )
    page = as_viewer.get("/tokens/").content.decode()
    for text in ("10,000", "No valid token", "198.51.100.7", "/proxy/1/v1/&lt;x&gt;", now.strftime("%Y-%m-%d")):
        assert text in page


def test_the_list_costs_as_many_queries_for_many_tokens(as_viewer: Browser, django_assert_max_num_queries: Any) -> None:
    here = builders.installation()
    for number in range(12):
        token(here, name=f"Program {number}")
    with django_assert_max_num_queries(12):
        assert as_viewer.get("/tokens/").content.decode().count("pbt_••••") == 12


def test_the_page_of_a_call_leads_to_its_token_and_to_calls_with_the_same_tag(as_viewer: Browser) -> None:
    token(name="Shop")
    row = Token.objects.get()
    mine = call(cause="proxy", cause_id=str(row.pk), cause_label="Shop", tags="nightly, shop-2", request_id="req_mine")
    call(cause="proxy", cause_id="999", cause_label="Other", tags="nightly-2", request_id="req_other")
    reading = Reading(as_viewer, f"/log/{mine.pk}/")
    assert f'<a href="/tokens/{row.pk}/">Program at the proxy</a>' in reading.text
    reading.follow("nightly")
    assert "req_mine" in reading.text and "req_other" not in reading.text
    reading.open(f"/tokens/{row.pk}/")
    reading.follow("Its calls in the log")
    assert "req_mine" in reading.text and "req_other" not in reading.text


def create(*installations: object, name: str = "Shop") -> dict[str, str]:
    out = io.StringIO()
    named = [f"--installation={installation}" for installation in installations]
    call_command("create_token", *named, "--name", name, stdout=out)
    found: dict[str, str] = json.loads(out.getvalue())
    return found


def test_the_command_prints_token_and_base_url() -> None:
    here = builders.installation()
    for named in (here.pk, here.name):
        made = create(named)
        assert made.keys() == {"token", "base_url"}
        assert made["base_url"] == f"http://127.0.0.1:8000/proxy/{here.pk}/v1"
        row = Token.objects.get(digest=digest(made["token"]))
        assert (row.name, row.created_by, list(row.installations.all())) == ("Shop", "command line", [here])
    assert AuditEntry.objects.filter(actor_name="command line", object_kind="token").count() == 2


def test_the_command_opens_several_installations() -> None:
    here, there = builders.installation(), builders.installation(name="Live", webhook_key="whk_2")
    create(here.pk, "Live")
    assert set(Token.objects.get().installations.all()) == {here, there}


@pytest.mark.parametrize(
    ("installation", "name", "said"), [("Nowhere", "Shop", "no installation “Nowhere”"), ("", " ", "")]
)
def test_the_command_says_what_is_wrong(installation: str, name: str, said: str) -> None:
    here = builders.installation()
    with pytest.raises(CommandError, match=said or "Name: A token needs a name"):
        create(installation or here.pk, name=name)
    assert not Token.objects.exists()


@pytest.mark.parametrize("model", ["gpt-6-luna", "ft:gpt-6:harbor::x1", "a'b\"c$(rm)`x`\nd{e}"])
def test_an_example_is_plain_text_whatever_the_model_is_called(as_viewer: Browser, model: str) -> None:
    here = builders.installation(model=model)
    page = as_viewer.get(f"/installations/{here.pk}/proxy/")
    assert page.status_code == 200
    shown = re.search(r"model=&quot;(.*?)&quot;", page.content.decode())
    assert shown and re.fullmatch(r"[\w.:/-]+", shown[1])
