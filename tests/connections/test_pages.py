"""The pages of connections: make, look at, rename, replace the key, test, delete."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client as Browser

from connections import actions
from connections.models import Connection
from connections.testing import Verdict
from logs.models import AuditEntry
from tests import builders
from tests.connections.builders import NEW_KEY
from tests.forms import Reading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[Verdict]:
    """What the next tests say, the last one again and again; the tests themselves are tried elsewhere."""
    waiting = [Verdict("ok", "The key is good for 2 models.", models=[{"id": "gpt-6-luna", "shutdown": None}])]
    monkeypatch.setattr(actions, "probe", lambda row, context: waiting.pop(0) if len(waiting) > 1 else waiting[0])
    return waiting


def errors_of(page: str) -> list[str]:
    found = re.findall(r'<p class="error" id="[^"]+">.*?<span>(.*?)</span></p>', page, re.DOTALL)
    return [" ".join(text.split()) for text in found]


def test_a_connection_is_made_tested_and_shown_without_its_key(as_administrator: Browser) -> None:
    reading = Reading(as_administrator, "/connections/")
    reading.follow("New connection")
    assert reading.form("Save and test").choices["kind"] == ["openai", "sandbox", "other"]
    reading.press("Save and test", name="Harbor main", api_key=NEW_KEY, organization="org-1", project="proj_1")
    row = Connection.objects.get()
    assert reading.address == f"/connections/{row.pk}/"
    assert (row.base_url, row.organization, row.project) == ("https://api.openai.com/v1", "org-1", "proj_1")
    for text in ("“Harbor main” was tested: The key is good for 2 models.", "Working", NEW_KEY[-4:], "Bearer"):
        assert text in reading.text
    for text in ("https://api.openai.com/v1", "OpenAI v1", "org-1", "proj_1", "gpt-6-luna"):
        assert text in reading.text
    assert NEW_KEY not in reading.text and NEW_KEY[:8] not in reading.text


def test_a_refused_form_keeps_what_was_typed_but_the_key(as_administrator: Browser) -> None:
    builders.connection(name="Harbor main")
    reading = Reading(as_administrator, "/connections/new/")
    wrong = {"name": "harbor MAIN", "kind": "other", "base_url": "http://10.0.0.8/v1", "api_key": NEW_KEY}
    reading.press("Save and test", **wrong, organization="org 1")
    assert len(errors_of(reading.text)) == 4
    for sentence in (
        "Another connection is called “harbor MAIN”. Choose another name.",
        "10.0.0.8 is a private or special address",
        "Only letters, digits, - and _ belong here.",
        "Enter the key again",
    ):
        assert any(said.startswith(sentence) for said in errors_of(reading.text)), sentence
    kept = reading.form("Save and test").values
    assert {**wrong, "api_key": ""} == {name: kept[name] for name in wrong}
    assert NEW_KEY not in reading.text
    assert Connection.objects.count() == 1


def test_a_failing_test_is_kept_with_its_code_and_when_it_last_worked(
    as_administrator: Browser, verdicts: list[Verdict]
) -> None:
    row = builders.connection()
    reading = Reading(as_administrator, f"/connections/{row.pk}/")
    assert "Not tested since its key or address changed." in reading.text
    reading.press("Test now")
    verdicts[:] = [Verdict("failed", "OpenAI answered 401: Incorrect API key.", "PB-1001")]
    reading.press("Test now")
    for text in ("Failing", "OpenAI answered 401: Incorrect API key.", "PB-1001", "It last worked"):
        assert text in reading.text
    assert "gpt-6-luna" in reading.text, "the list that was read before stays"


def test_an_operator_tests_and_a_viewer_only_reads(as_operator: Browser, as_viewer: Browser) -> None:
    row = builders.connection()
    for browser, buttons in ((as_operator, {"Test now"}), (as_viewer, set())):
        reading = Reading(browser, f"/connections/{row.pk}/")
        shown = {words for words in ("Test now", "Edit", "Delete", "Replace") if f"{words}<" in reading.text}
        assert shown == buttons


def test_the_key_is_replaced_and_the_new_one_tested(as_administrator: Browser) -> None:
    row = builders.connection()
    reading = Reading(as_administrator, f"/connections/{row.pk}/")
    reading.follow("Replace")
    reading.press("Replace key and test", api_key="")
    assert errors_of(reading.text) == ["This is empty. Paste the new key."]
    reading.press("Replace key and test", api_key=f" {NEW_KEY}\n")
    row.refresh_from_db()
    assert (row.api_key.open(), row.key_last4, row.status) == (NEW_KEY, NEW_KEY[-4:], "ok")
    assert NEW_KEY not in reading.text
    assert AuditEntry.objects.filter(action="replaced the key of").count() == 1


def test_a_connection_is_renamed_without_its_key_and_its_installations_keep_it(as_administrator: Browser) -> None:
    row = builders.connection(base_url="https://api.openai.com/v1")
    here = builders.installation(connection=row)
    reading = Reading(as_administrator, f"/connections/{row.pk}/")
    reading.follow("Edit")
    reading.press("Save and test", name="Harbor, the new name")
    here.connection.refresh_from_db()
    assert here.connection.name == "Harbor, the new name"
    assert here.connection.api_key.open() == builders.API_KEY


def test_a_new_address_asks_for_the_key_and_forgets_the_test(as_administrator: Browser) -> None:
    row = builders.connection(base_url="https://api.openai.com/v1", status="ok")
    reading = Reading(as_administrator, f"/connections/{row.pk}/edit/")
    moved = {"kind": "other", "base_url": "https://llm.example.com/v1"}
    reading.press("Save and test", **moved)
    assert "Enter the key." in errors_of(reading.text)[0]
    reading.press("Save and test", **moved, api_key=NEW_KEY)
    row.refresh_from_db()
    assert (row.base_url, row.api_key.open()) == ("https://llm.example.com/v1", NEW_KEY)


def test_a_connection_in_use_is_not_deleted_and_the_page_says_by_whom(as_administrator: Browser) -> None:
    row = builders.connection()
    builders.installation(name="OpenAI - Texts", connection=row)
    reading = Reading(as_administrator, f"/connections/{row.pk}/")
    assert "Delete connection" not in reading.text and "cannot be deleted while in use" in reading.text
    answer = as_administrator.post(f"/connections/{row.pk}/delete/", follow=True)
    said = "“OpenAI main” is in use by “OpenAI - Texts”, so it was not deleted. Give them another connection first."
    assert said in answer.content.decode()
    assert Connection.objects.exists()
    assert not AuditEntry.objects.filter(action="deleted").exists(), "what did not happen is not in the trail"


def test_an_unused_connection_is_deleted_and_its_history_stays(as_administrator: Browser) -> None:
    row = builders.connection()
    reading = Reading(as_administrator, f"/connections/{row.pk}/")
    reading.press("Delete connection")
    assert (reading.address, Connection.objects.exists()) == ("/connections/", False)
    assert "“OpenAI main” was deleted. Its calls stay in the log." in reading.text
    assert AuditEntry.objects.get(action="deleted").object_name == "OpenAI main"


def test_all_models_are_shown_on_request(as_viewer: Browser) -> None:
    many: list[dict[str, Any]] = [{"id": f"model-{number:02}", "shutdown": None} for number in range(20)]
    row = builders.connection(models_seen=many)
    reading = Reading(as_viewer, f"/connections/{row.pk}/")
    assert "model-19" not in reading.text
    reading.follow("Show all 20")
    assert "model-19" in reading.text
