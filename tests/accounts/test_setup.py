"""The first-run page: one address, one use, one administrator."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.models import SetupToken, User
from accounts.setup import new_setup_address
from logs.models import AuditEntry
from tests import people

pytestmark = pytest.mark.django_db
ENTRIES = {"username": "ada", "password1": people.PASSWORD, "password2": people.PASSWORD}


def setup_path():
    return urlsplit(new_setup_address()).path


def test_the_address_is_reachable_here_even_when_the_server_listens_everywhere(settings):
    settings.HOST, settings.PORT = "0.0.0.0", 8123  # noqa: S104 - the setting under test
    assert new_setup_address().startswith("http://127.0.0.1:8123/setup/")


def test_the_token_is_not_kept():
    token = setup_path().split("/")[2]
    assert token not in str(list(SetupToken.objects.values()))


def test_no_address_is_made_once_an_administrator_exists():
    people.administrator_ada()
    assert new_setup_address() is None


def test_the_page_makes_an_administrator_and_signs_in(client):
    answer = client.post(setup_path(), ENTRIES)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    ada = User.objects.get()
    assert (ada.role, client.session["_auth_user_id"]) == ("administrator", str(ada.pk))
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == ["created", "signed in"]


def test_a_used_address_is_gone_for_good(client):
    path = setup_path()
    client.post(path, ENTRIES)
    assert Client().get(path).status_code == 404
    assert Client().post(path, ENTRIES | {"username": "mallory"}).status_code == 404
    assert User.objects.count() == 1


def test_of_two_requests_that_both_saw_the_page_one_wins():
    token = setup_path().split("/")[2]
    first = actions.create_first_administrator(token, "ada", people.PASSWORD, "10.0.0.1")
    second = actions.create_first_administrator(token, "mallory", people.PASSWORD, "10.0.0.2")
    assert first is not None
    assert second is None
    assert list(User.objects.values_list("username", flat=True)) == ["ada"]


def test_a_token_is_not_used_up_by_a_race_with_the_command(client):
    """Someone else became administrator between the page and its button."""
    token = setup_path().split("/")[2]
    people.administrator_ada()
    assert actions.create_first_administrator(token, "mallory", people.PASSWORD, "") is None
    assert not User.objects.filter(username="mallory").exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_wrong_token_gets_a_page_that_says_what_to_do(client, method):
    new_setup_address()
    answer = getattr(client, method)("/setup/wrong/", ENTRIES)
    assert answer.status_code == 403
    assert "prints a new address in the terminal" in answer.content.decode()
    assert not User.objects.exists()


def test_an_address_of_yesterday_is_closed(client):
    path = setup_path()
    SetupToken.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert client.post(path, ENTRIES).status_code == 403
    assert not User.objects.exists()


def test_a_newer_address_closes_the_older_one(client):
    older, newer = setup_path(), setup_path()
    assert client.get(older).status_code == 403
    assert client.get(newer).status_code == 200


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"password2": "something-else-entirely"}, "The two passwords differ."),
        ({"password1": "short", "password2": "short"}, "at least 12 characters"),
        ({"username": "a b"}, "Enter a valid username"),
    ],
)
def test_a_refused_form_keeps_the_name_and_the_address_open(client, entries, sentence):
    path = setup_path()
    page = client.post(path, ENTRIES | entries).content.decode()
    assert sentence in page.replace("&#x27;", "'")
    assert f'value="{(ENTRIES | entries)["username"]}"' in page
    assert people.PASSWORD not in page
    assert client.get(path).status_code == 200


def test_a_deactivated_administrator_does_not_count():
    ada = people.administrator_ada()
    ada.is_active = False
    ada.save()
    assert new_setup_address() is not None
