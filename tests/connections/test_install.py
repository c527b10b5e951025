"""The guided form, without script: from the first page to the last, left and resumed anywhere, out of order, refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from connections.drafts import STEPS
from connections.models import Connection, Installation, InstallationDraft
from logs.models import AuditEntry
from tests import builders, people
from tests.conftest import Sandbox
from tests.connections.builders import NEW_KEY, SECRET, draft, throttle
from tests.forms import Reading

# What a person types on each page of the form, with a connection that is there.
TYPED: dict[str, dict[str, str | None]] = {
    "begin": {},
    "name": {"name": "OpenAI - Catalogue texts"},
    "connection": {"connection": "1"},
    "model": {"model": "gpt-6-luna"},
    "throttle": throttle(preset="initial", throttle_limit="40", throttle_seconds="30", concurrent_connections="3"),
    "mappings": {"default_mappings": None},
}
NEW = "/installations/new/"


def typed(slug: str, **over: str | None) -> dict[str, str | None]:
    values = TYPED[slug] | over
    return values | {"connection": str(Connection.objects.get().pk)} if slug == "connection" else values


def begun(browser: Browser, until: str) -> Reading:
    """The form, filled in up to the page `until`, which is open."""
    reading = Reading(browser, NEW)
    for step in STEPS:
        if step.slug == until:
            return reading
        reading.press("Continue", **typed(step.slug))
    raise AssertionError(until)


def errors_of(page: str) -> list[str]:
    found = re.findall(r'<p class="error" id="[^"]+">.*?<span>(.*?)</span></p>', page, re.DOTALL)
    return [" ".join(text.split()).replace("&#x27;", "'") for text in found]


@pytest.mark.django_db(transaction=True)
def test_from_the_first_page_to_the_last_with_a_new_connection(as_administrator: Browser, sandbox: Sandbox) -> None:
    reading = Reading(as_administrator, "/installations/")
    reading.follow("New installation")
    reading.press("Continue")
    assert reading.form("Continue").values["name"] == "OpenAI - Production", "a name is proposed"
    reading.press("Continue", name="OpenAI – Release")
    reading.press("Continue", new__name="Sandbox", new__kind="sandbox")
    assert "“Sandbox” was made and tested: The key is good for" in reading.text
    assert '<option value="gpt-6-luna">' in reading.text, "the account's models are offered"
    reading.press("Continue", model="gpt-6-luna")
    assert {name: reading.form("Continue").values[name] for name in throttle()} == throttle(), "the proposed limits"
    reading.press("Continue", preset="initial")
    assert reading.form("Continue").values["default_mappings"] == "on", "checked from the start"
    reading.press("Continue")
    assert "5 requests in 60 s" in reading.text, "the preset filled in the limit without script"
    reading.press("Apply")
    made = Installation.objects.get()
    assert (made.name, made.throttle_limit, made.default_mappings) == ("OpenAI – Release", 5, True)
    assert made.connection.base_url == sandbox.url
    assert "Copy the webhook key now" in reading.text


@pytest.mark.django_db
@pytest.mark.parametrize("slug", [step.slug for step in STEPS[1:-1]])
def test_leaving_on_any_page_keeps_what_was_typed_on_it(as_administrator: Browser, slug: str) -> None:
    builders.connection()
    reading = begun(as_administrator, slug)
    reading.press("Save and leave", **typed(slug))
    assert (reading.address, "Resume it here" in reading.text) == ("/installations/", True)
    reading.follow("Resume")
    left = InstallationDraft.objects.get()
    reading.open(reverse("installations:step", args=[left.pk, slug]))
    kept = reading.form("Continue").values
    assert {name: kept.get(name) for name in TYPED[slug]} == typed(slug)
    following = [step.slug for step in STEPS][len(left.done)]
    assert left.done == [step.slug for step in STEPS][: len(left.done)] and following > "", "and it goes on behind it"


@pytest.mark.django_db
@pytest.mark.parametrize("slug", [step.slug for step in STEPS[1:-1]])
def test_going_back_keeps_what_was_typed_even_if_it_is_wrong(as_administrator: Browser, slug: str) -> None:
    builders.connection()
    reading = begun(as_administrator, slug)
    wrong = {"name": {"name": ""}, "model": {"model": "GPT-5 nano"}, "throttle": {"throttle_seconds": "90"}}
    reading.press("Back", **typed(slug) | wrong.get(slug, {}))
    here = InstallationDraft.objects.get()
    assert (slug in here.done) == (slug not in wrong)
    reading.open(reverse("installations:step", args=[here.pk, slug]))
    kept = reading.form("Continue").values
    assert {name: kept.get(name) for name in TYPED[slug]} == typed(slug) | wrong.get(slug, {})


@pytest.mark.django_db
def test_a_draft_keeps_a_new_connection_but_never_its_key(as_administrator: Browser) -> None:
    reading = begun_at_new_connection(as_administrator)
    new = {"new__name": "Harbor main", "new__kind": "openai", "new__organization": "org-1", "new__api_key": NEW_KEY}
    reading.press("Save and leave", **new)
    here = InstallationDraft.objects.get()
    assert NEW_KEY not in str(here.answers) and not Connection.objects.exists()
    reading.open(reverse("installations:step", args=[here.pk, "connection"]))
    kept = reading.form("Continue").values
    assert (kept["new-name"], kept["new-organization"], kept["new-api_key"]) == ("Harbor main", "org-1", "")
    assert NEW_KEY not in reading.text


def begun_at_new_connection(browser: Browser) -> Reading:
    reading = Reading(browser, NEW)
    reading.press("Continue")
    reading.press("Continue", name="OpenAI - Catalogue texts")
    return reading


@pytest.mark.django_db
def test_two_people_fill_in_two_drafts_and_see_only_their_own(as_administrator: Browser) -> None:
    builders.connection()
    bea = people.signed_in(people._person("bea", "administrator"))
    ada_reads, bea_reads = begun(as_administrator, "review"), begun(bea, "review")
    ada, bea_draft = InstallationDraft.objects.order_by("pk")
    assert bea.get(reverse("installations:step", args=[ada.pk, "name"])).status_code == 404
    assert bea.post(reverse("installations:discard", args=[ada.pk])).status_code == 404
    assert len(re.findall("Resume<", bea.get("/installations/").content.decode())) == 1
    ada_reads.press("Apply")
    bea_reads.press("Apply")
    assert "Another installation is called “OpenAI - Catalogue texts”. Choose another name." in bea_reads.text
    bea_reads.follow("Change name")
    bea_reads.press("Continue", name="OpenAI - Second")
    bea_reads.open(reverse("installations:step", args=[bea_draft.pk, "review"]))
    bea_reads.press("Apply")
    assert set(Installation.objects.values_list("name", flat=True)) == {"OpenAI - Catalogue texts", "OpenAI - Second"}
    assert set(Installation.objects.values_list("created_by", flat=True)) == {"ada", "bea"}


@pytest.mark.django_db
@pytest.mark.parametrize("slug", [step.slug for step in STEPS])
def test_a_page_opened_out_of_order_opens(as_administrator: Browser, slug: str) -> None:
    here = draft()
    page = as_administrator.get(reverse("installations:step", args=[here.pk, slug]))
    assert page.status_code == 200
    if slug == "review":
        assert "5 pages of this form are not in order" in page.content.decode()
        assert as_administrator.post(page.request["PATH_INFO"], {"go": "apply"}).status_code == 200
        assert not Installation.objects.exists(), "a button that is not there cannot be pressed either"


@pytest.mark.django_db
def test_pages_filled_in_backwards_make_the_same_installation(as_administrator: Browser) -> None:
    builders.connection()
    here = draft()
    reading = Reading(as_administrator, NEW)
    for step in reversed(STEPS[1:-1]):
        reading.open(reverse("installations:step", args=[here.pk, step.slug]))
        reading.press("Continue", **typed(step.slug))
    reading.open(reverse("installations:step", args=[here.pk, "review"]))
    reading.press("Apply")
    made = Installation.objects.get()
    assert (made.name, made.throttle_limit, made.throttle_seconds) == ("OpenAI - Catalogue texts", 40, 30)
    assert (made.concurrent_connections, made.concurrent_batches, made.default_mappings) == (3, 5, False)


@pytest.mark.django_db
def test_what_went_wrong_since_is_found_before_apply(as_administrator: Browser) -> None:
    connection = builders.connection()
    reading = begun(as_administrator, "review")
    connection.delete()
    reading.open(reading.address)
    assert "1 page of this form is not in order" in reading.text
    assert "This connection is gone. Choose another one." in reading.text
    assert "Apply" not in [words for *_, words in reading.form("Save and leave").buttons]


@pytest.mark.django_db
@pytest.mark.parametrize("posted", ["²", "9" * 30, "-1", "new", "\0"])
def test_an_odd_connection_leaves_the_draft_whole(as_administrator: Browser, posted: str) -> None:
    here = draft()
    address = reverse("installations:step", args=[here.pk, "connection"])
    for method in (as_administrator.post, as_administrator.get):
        assert method(address, {"connection": posted, "go": "continue"}).status_code == 200


WRONG: list[tuple[str, dict[str, str | None], str]] = [
    ("name", {"name": ""}, "An installation needs a name. A usual one is “OpenAI - Production”."),
    ("name", {"name": "x" * 121}, "121 characters are too many. Enter at most 120."),
    ("name", {"name": "Taken"}, "Another installation is called “Taken”. Choose another name."),
    ("connection", {"connection": None}, "Choose a connection, or make a new one."),
    ("model", {"model": ""}, "An installation needs a model. Pick one of the list or type its name."),
    ("model", {"model": "GPT-5 nano"}, "A model's name has no spaces. Enter one name, such as gpt-6-luna."),
    ("throttle", {"throttle_limit": "0"}, "0 is too little. Enter 1 to 1,000,000."),
    ("throttle", {"throttle_limit": "1000001"}, "1000001 is more than one window may hold. Enter 1 to 1,000,000."),
    ("throttle", {"throttle_seconds": "61"}, "61 is more than a window may last. Enter 1 to 60."),
    ("throttle", {"throttle_seconds": "0"}, "0 is too little. Enter 1 to 60."),
    ("throttle", {"concurrent_connections": "11"}, "11 is more than may be open at once. Enter 1 to 10."),
    ("throttle", {"concurrent_connections": "0"}, "0 is too little. Enter 1 to 10."),
    ("throttle", {"concurrent_batches": "11"}, "11 is more than may run at once. Enter 1 to 10."),
    ("throttle", {"concurrent_batches": ""}, "This is empty. Enter 1 to 10."),
    ("throttle", {"deadline_seconds": "3601"}, "3601 is more than a call may wait in line. Enter 1 to 3,600."),
    ("throttle", {"deadline_seconds": "soon"}, "“soon” is not a whole number. Enter 1 to 3,600."),
    ("throttle", {"excess": None}, "Choose what happens to a call over the limit."),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("slug", "wrong", "sentence"), WRONG)
def test_bad_input_stays_where_it_was_typed_with_a_sentence_beside_it(
    as_administrator: Browser, slug: str, wrong: dict[str, str | None], sentence: str
) -> None:
    connection = builders.connection()
    builders.installation(name="Taken", connection=connection)
    at = reverse("installations:step", args=[draft().pk, slug])
    reading = Reading(as_administrator, at)
    reading.press("Continue", **typed(slug) | wrong)
    assert (reading.address, errors_of(reading.text)) == (at, [sentence])
    kept = reading.form("Continue").values
    assert {name: kept.get(name) for name in TYPED[slug]} == typed(slug) | wrong
    reading.press("Continue", **typed(slug))
    assert reading.address != at, "mended, it goes on"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("setting", "name", "most"),
    [
        ("MAX_THROTTLE_SECONDS", "throttle_seconds", 3600),
        ("MAX_CONCURRENT_CONNECTIONS", "concurrent_connections", 64),
        ("MAX_CONCURRENT_BATCHES", "concurrent_batches", 32),
    ],
)
def test_the_operator_raises_a_bound(
    as_administrator: Browser, settings: Any, setting: str, name: str, most: int
) -> None:
    setattr(settings, setting, most)
    reading = Reading(as_administrator, reverse("installations:step", args=[draft().pk, "throttle"]))
    reading.press("Continue", **{name: str(most + 1)})
    assert f"Enter 1 to {most:,}." in errors_of(reading.text)[0]
    reading.press("Continue", **{name: str(most)})
    assert reading.address.endswith("/mappings/")


@pytest.mark.django_db
def test_a_proposed_name_is_free(as_administrator: Browser) -> None:
    builders.installation(name="OpenAI - Production")
    builders.installation(name="openai - staging", webhook_key="another")
    reading = Reading(as_administrator, NEW)
    reading.press("Continue")
    reading.press("Continue")
    assert reading.address.endswith("/connection/"), errors_of(reading.text)
    assert InstallationDraft.objects.get().answers["name"] == "OpenAI - Test"


# The page after Apply


def applied(browser: Browser) -> tuple[Reading, str]:
    """The page that Apply gives, and the webhook key on it."""
    builders.connection()
    reading = begun(browser, "review")
    reading.press("Apply")
    key = re.search(r'<output id="whkey"[^>]*>(.*?)</output>', reading.text)
    assert key, "the key is on the page"
    return reading, key[1]


@pytest.mark.django_db
def test_the_webhook_key_and_its_finished_address_are_shown_with_copy_buttons(as_administrator: Browser) -> None:
    reading, key = applied(as_administrator)
    addresses = dict(re.findall(r'<output id="(whurl[^"]*)"[^>]*>(.*?)</output>', reading.text))
    assert addresses == {
        name: f"http://127.0.0.1:8000/hookapi/v2/dynamic/OpenAI/{entity}?{key}"
        for name, entity in {"whurl": "Product", "whurl-Customer": "Customer", "whurl-Message": "Message"}.items()
    }
    assert set(re.findall(r'data-copy="([^"]+)"', reading.text)) == {"whkey", *addresses}
    for step in ("Webhooks", "Create", "response.completed", "signing secret"):
        assert step in reading.text


@pytest.mark.django_db
def test_nothing_shows_the_key_a_second_time(as_administrator: Browser) -> None:
    reading, key = applied(as_administrator)
    made, here = Installation.objects.get(), InstallationDraft.objects.get()
    assert "no-store" in reading.headers["Cache-Control"]
    seen = [reverse("installations:ready", args=[made.pk]), reverse("installations:detail", args=[made.pk])]
    seen += [reverse("installations:step", args=[here.pk, "review"]), "/installations/", "/audit/"]
    for address in seen:
        assert key not in as_administrator.get(address, follow=True).content.decode(), address
    assert f"pbw_••••{key[-4:]}" in as_administrator.get(seen[0]).content.decode()
    assert key not in str(list(AuditEntry.objects.values())) + str(list(InstallationDraft.objects.values()))


@pytest.mark.django_db
def test_apply_pressed_twice_makes_one_installation(as_administrator: Browser) -> None:
    builders.connection()
    reading = begun(as_administrator, "review")
    again = Reading(as_administrator, reading.address)
    reading.press("Apply")
    again.press("Apply")
    assert Installation.objects.count() == 1
    assert "it made one installation. The webhook key was shown then" in again.text


@pytest.mark.django_db
def test_the_signing_secret_is_taken_on_the_page_and_never_shown(as_administrator: Browser) -> None:
    reading, _ = applied(as_administrator)
    reading.press("Save signing secret", secret="sk-this-is-the-wrong-one")
    assert "A signing secret begins with whsec_" in errors_of(reading.text)[0]
    reading.press("Save signing secret", secret=SECRET)
    assert "The signing secret was set." in reading.text and SECRET not in reading.text
    assert Installation.objects.get().signing_secret.open() == SECRET


@pytest.mark.django_db
def test_a_new_webhook_key_replaces_the_old_one_and_is_shown_once(as_administrator: Browser) -> None:
    reading, old = applied(as_administrator)
    made = Installation.objects.get()
    reading.open(reverse("installations:ready", args=[made.pk]))
    reading.press("Make a new key")
    shown = re.search(r'<output id="whkey"[^>]*>(.*?)</output>', reading.text)
    assert shown and shown[1] != old
    reading.open(reverse("installations:ready", args=[made.pk]))
    assert shown[1] not in reading.text
