"""Signing in and out, the own password, and the pause after wrong ones."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.lockout import LIMIT
from accounts.models import SignInTries
from logs.models import AuditEntry
from tests import people

pytestmark = pytest.mark.django_db
WRONG = "wrong-password-entirely"


@pytest.fixture
def ada():
    return people.administrator_ada()


def sign_in(client, password=people.PASSWORD, name="ada", address="10.0.0.1", **more):
    return client.post("/sign-in/", {"username": name, "password": password, **more}, REMOTE_ADDR=address)


def signed_in(client):
    return "_auth_user_id" in client.session


def test_signing_in_opens_the_first_page_and_is_audited(client, ada):
    answer = sign_in(client)
    assert (answer.status_code, answer["Location"], signed_in(client)) == (302, "/", True)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name, entry.address) == ("signed in", "ada", "10.0.0.1")


def test_the_session_key_changes_on_signing_in(client, ada):
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key
    sign_in(client)
    assert client.session.session_key not in (None, before)


@pytest.mark.parametrize(
    ("wanted", "opened"),
    [
        ("/people/", "/people/"),
        ("/log/?q=a&state=failed", "/log/?q=a&state=failed"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_next_leads_to_our_own_pages_only(client, ada, wanted, opened):
    assert sign_in(client, next=wanted)["Location"] == opened
    assert client.get("/sign-in/", {"next": wanted})["Location"] == opened


def test_without_the_check_the_session_ends_with_the_browser(ada):
    kept, ended = Client(), Client()
    sign_in(kept, remember="on")
    sign_in(ended)
    assert not kept.session.get_expire_at_browser_close()
    assert ended.session.get_expire_at_browser_close()


def test_a_wrong_password_says_how_many_tries_are_left(client, ada):
    page = sign_in(client, WRONG).content.decode()
    assert "After 4 more tries this name pauses" in page
    assert 'value="ada"' in page
    assert WRONG not in page
    assert not signed_in(client)


def test_after_five_wrong_ones_even_the_right_one_is_refused(client, ada):
    for _ in range(LIMIT):
        sign_in(client, WRONG)
    page = sign_in(client).content.decode()
    assert not signed_in(client)
    assert "paused" in page
    assert "Sign in again after" in page
    assert AuditEntry.objects.get().action == "sign-in paused"


def test_the_pause_ends(client, ada):
    for _ in range(LIMIT):
        sign_in(client, WRONG)
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1)):
        sign_in(client)
        assert signed_in(client)


def test_tries_in_the_pause_do_not_lengthen_it(client, ada):
    for _ in range(LIMIT):
        sign_in(client, WRONG)
    before = SignInTries.objects.get().last_at
    sign_in(client, WRONG)
    assert SignInTries.objects.get().last_at == before


def test_the_pause_is_by_name_and_address(client, ada):
    people.viewer_vera()
    for _ in range(LIMIT):
        sign_in(client, WRONG)
    assert sign_in(Client(), address="10.0.0.2").status_code == 302
    assert sign_in(Client(), name="vera").status_code == 302


def test_the_pause_ignores_the_case_of_the_name_and_works_for_names_that_nobody_has(client):
    for _ in range(LIMIT):
        sign_in(client, WRONG, name="Nobody")
    assert "paused" in sign_in(client, WRONG, name="nobody").content.decode()
    assert AuditEntry.objects.get().object_name == "an unknown name"


def test_a_right_password_forgets_the_wrong_ones(client, ada):
    for _ in range(LIMIT - 1):
        sign_in(client, WRONG)
    sign_in(client)
    assert "After 4 more tries" in sign_in(Client(), WRONG).content.decode()


def test_what_is_counted_does_not_name_anyone(client, ada):
    sign_in(client, WRONG, name="my-password-in-the-wrong-field")
    assert "my-password" not in str(list(SignInTries.objects.values()))


def test_a_deactivated_person_stays_out(client, ada):
    ada.is_active = False
    ada.save()
    assert sign_in(client).status_code == 200
    assert not signed_in(client)


def test_signing_out_takes_a_post(as_viewer):
    assert as_viewer.get("/sign-out/").status_code == 405
    assert signed_in(as_viewer)
    answer = as_viewer.post("/sign-out/")
    assert (answer["Location"], signed_in(as_viewer)) == ("/sign-in/", False)
    assert AuditEntry.objects.get().action == "signed out"


def test_the_sign_in_page_says_when_nobody_was_set_up_yet(client):
    assert "set-up address" in client.get("/sign-in/").content.decode()
    people.administrator_ada()
    assert "set-up address" not in client.get("/sign-in/").content.decode()


def test_a_new_password_signs_other_browsers_out_and_this_one_not(client, ada):
    other = Client()
    sign_in(client)
    sign_in(other)
    new = "copper-violin-meadow"
    entries = {"old_password": people.PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/password/", entries).status_code == 302
    assert client.get("/password/").status_code == 200
    assert other.get("/password/").status_code == 302
    assert sign_in(Client(), new).status_code == 302
    assert new not in str(list(AuditEntry.objects.values()))


def test_the_own_password_asks_for_the_old_one(as_viewer):
    new = "copper-violin-meadow"
    answer = as_viewer.post("/password/", {"old_password": WRONG, "new_password1": new, "new_password2": new})
    assert "old password was entered incorrectly" in answer.content.decode()


def test_an_odd_address_after_sign_in_is_no_error(as_viewer):
    """A word without a slash is no page of ours; `redirect` would take it for the name of a view."""
    answer = as_viewer.get("/sign-in/?next=somewhere")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
