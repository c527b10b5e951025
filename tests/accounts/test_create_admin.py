"""`manage.py create_admin`."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import SetupToken, User
from accounts.setup import new_setup_address
from logs.models import AuditEntry
from tests import people

pytestmark = pytest.mark.django_db


def create(monkeypatch, capsys, username="ada", typed=people.PASSWORD + "\n"):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    call_command("create_admin", username=username)
    return json.loads(capsys.readouterr().out)


def test_it_makes_an_administrator_and_prints_json(monkeypatch, capsys):
    new_setup_address()
    row = create(monkeypatch, capsys)
    ada = User.objects.get()
    assert row == {"id": ada.pk, "username": "ada", "role": "administrator"}
    assert ada.check_password(people.PASSWORD)
    assert AuditEntry.objects.get().actor_name == "command line"
    assert not SetupToken.objects.exists()


@pytest.mark.parametrize(
    ("username", "typed", "sentence"),
    [
        ("ada", "", "No password came on standard input"),
        ("ada", "short\n", "at least 12 characters"),
        ("a b", people.PASSWORD + "\n", "valid username"),
        ("vera", people.PASSWORD + "\n", "Someone has the name vera already"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(monkeypatch, capsys, username, typed, sentence):
    people.viewer_vera()
    with pytest.raises(CommandError, match=sentence) as refusal:
        create(monkeypatch, capsys, username, typed)
    assert "\n" not in str(refusal.value)
    assert User.objects.count() == 1
