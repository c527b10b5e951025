"""What administrators do with people, and the audit line of each."""

import pytest
from django.test import Client

from accounts import actions
from accounts.models import User
from logs.audit import COMMAND_LINE
from logs.models import AuditEntry
from tests import people

pytestmark = pytest.mark.django_db
NEW = {"username": "nora", "role": "operator", "password1": "copper-violin-meadow", "password2": "copper-violin-meadow"}


def last_audit():
    return AuditEntry.objects.latest("id")


def test_the_list_shows_everyone_with_role_and_state(as_administrator):
    vera = people.viewer_vera()
    actions.set_active(COMMAND_LINE, vera, False)
    page = as_administrator.get("/people/").content.decode()
    for text in ("vera", "Viewer", "Deactivated", "ada", "Administrator", "Active"):
        assert text in page


def test_the_list_asks_the_database_as_often_for_many_as_for_few(as_administrator, django_assert_max_num_queries):
    for number in range(20):
        actions.create_person(COMMAND_LINE, f"p{number}", "viewer", people.PASSWORD)
    with django_assert_max_num_queries(8):
        as_administrator.get("/people/")


def test_a_new_person_can_sign_in(as_administrator):
    assert as_administrator.post("/people/add/", NEW)["Location"] == "/people/"
    nora = User.objects.get(username="nora")
    assert nora.role == "operator"
    assert Client().login(username="nora", password=NEW["password1"])
    entry = last_audit()
    assert (entry.action, entry.actor_name, entry.object_name) == ("created", "ada", "nora")
    assert entry.changes == {"role": [None, "operator"]}
    assert NEW["password1"] not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"username": "ADA"}, "Someone has the name ADA already. Enter another one."),
        ({"role": "owner"}, "owner is not one of the choices. Choose another."),
        ({"password1": "password12345", "password2": "password12345"}, "too common"),
    ],
)
def test_a_refused_person_is_not_made_and_what_was_typed_stays(as_administrator, entries, sentence):
    page = as_administrator.post("/people/add/", NEW | entries).content.decode()
    assert sentence in page
    assert f'value="{(NEW | entries)["username"]}"' in page
    assert User.objects.count() == 1


def test_a_role_is_changed_at_once(as_administrator):
    vera = people.viewer_vera()
    browser = Client()
    browser.force_login(vera)
    assert browser.get("/people/").status_code == 403
    as_administrator.post(f"/people/{vera.pk}/", {"change_role": "", "role": "administrator"})
    assert browser.get("/people/").status_code == 200
    assert last_audit().changes == {"role": ["viewer", "administrator"]}


def test_deactivating_ends_the_sessions_and_reactivating_lets_in_again(as_administrator):
    vera = people.viewer_vera()
    browser = Client()
    browser.force_login(vera)
    as_administrator.post(f"/people/{vera.pk}/", {"deactivate": "1"})
    assert browser.get("/password/").status_code == 302
    assert last_audit().action == "deactivated"
    as_administrator.post(f"/people/{vera.pk}/", {"reactivate": ""})
    assert Client().login(username="vera", password=people.PASSWORD)
    assert last_audit().action == "reactivated"


def test_an_administrator_gives_a_new_password(as_administrator):
    vera = people.viewer_vera()
    new = {"new_password1": "copper-violin-meadow", "new_password2": "copper-violin-meadow"}
    as_administrator.post(f"/people/{vera.pk}/", {"set_password": "", **new})
    assert Client().login(username="vera", password="copper-violin-meadow")
    assert last_audit().action == "changed password"


@pytest.mark.parametrize("entries", [{"deactivate": "1"}, {"change_role": "", "role": "viewer"}])
def test_the_last_administrator_stays_one(as_administrator, entries):
    ada = User.objects.get(username="ada")
    page = as_administrator.post(f"/people/{ada.pk}/", entries, follow=True).content.decode()
    assert "ada is the last administrator" in page
    ada = User.objects.get(pk=ada.pk)
    assert (ada.is_active, ada.role) == (True, "administrator")
    assert not AuditEntry.objects.exists()


def test_a_deactivated_administrator_does_not_stand_in_for_the_last_one():
    ada = people.administrator_ada()
    other = actions.create_person(COMMAND_LINE, "second", "administrator", people.PASSWORD)
    actions.set_active(COMMAND_LINE, other, False)
    with pytest.raises(actions.LastAdministrator):
        actions.change_role(COMMAND_LINE, ada, "viewer")


def test_of_two_administrators_one_may_go():
    ada = people.administrator_ada()
    actions.create_person(COMMAND_LINE, "second", "administrator", people.PASSWORD)
    actions.change_role(COMMAND_LINE, ada, "viewer")
    assert ada.role == "viewer"


def test_what_does_not_change_leaves_no_audit_line():
    vera = people.viewer_vera()
    actions.change_role(COMMAND_LINE, vera, "viewer")
    actions.set_active(COMMAND_LINE, vera, True)
    assert not AuditEntry.objects.exists()


def test_an_unknown_person_is_not_found(as_administrator):
    assert as_administrator.get("/people/4711/").status_code == 404
