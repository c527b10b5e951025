from __future__ import annotations

import copy
import json
import pickle
from io import StringIO
from typing import Any

import pytest
from django.core import serializers
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection as database

from connections.checks import assert_keys_open
from connections.models import Connection
from connections.sealing import CannotOpen, key_id
from tests import builders
from tests.builders import API_KEY

OLD, NEW = b"o" * 32, b"n" * 32
pytestmark = pytest.mark.django_db


def stored(row: Connection) -> str:
    with database.cursor() as cursor:
        cursor.execute("select api_key from connections_connection where id = %s", [row.pk])
        return str(cursor.fetchone()[0])


def again(row: Connection) -> Connection:
    return Connection.objects.get(pk=row.pk)


def test_the_database_never_holds_the_clear_text() -> None:
    row = builders.connection()
    assert API_KEY not in stored(row)
    assert again(row).api_key.open() == API_KEY


def test_two_seals_of_one_secret_differ() -> None:
    assert stored(builders.connection(name="one")) != stored(builders.connection(name="two"))


def test_a_ciphertext_moved_to_another_row_does_not_open() -> None:
    one, two = builders.connection(name="one"), builders.connection(name="two", api_key="sk-other-0123456789")
    two.api_key = one.api_key
    two.save()
    with pytest.raises(CannotOpen, match="does not belong"):
        again(two).api_key.open()


def test_a_cloned_row_cannot_open_the_secret_of_its_original() -> None:
    row = again(builders.connection())
    row.pk, row.name, row._state.adding = None, "clone", True
    row.save()
    with pytest.raises(CannotOpen):
        again(row).api_key.open()


def test_a_missing_key_is_named_and_nothing_secret_with_it(settings: Any) -> None:
    settings.SEALING_KEYS = (OLD,)
    row = builders.connection()
    settings.SEALING_KEYS = (NEW,)
    with pytest.raises(CannotOpen) as caught:
        again(row).api_key.open()
    assert key_id(OLD) in str(caught.value)
    assert API_KEY not in str(caught.value)


@pytest.mark.parametrize("junk", ["sk-in-clear", "v1:abc", "v1:abcdef01:%%%", "v1:abcdef01:YWJj", "v9:a:YWJj"])
def test_junk_in_the_column_is_refused_in_words(junk: str) -> None:
    row = builders.connection()
    with database.cursor() as cursor:
        cursor.execute("update connections_connection set api_key = %s where id = %s", [junk, row.pk])
    with pytest.raises(CannotOpen, match="not a sealed secret"):
        again(row).api_key.open()


def test_printing_and_formatting_show_nothing() -> None:
    row = again(builders.connection())
    shown = [str(row.api_key), repr(row.api_key), f"{row.api_key}", f"{row.api_key!r}", repr(vars(row)["name"])]
    assert set(shown[:4]) == {"[sealed]"}
    assert str(Connection(name="fresh").api_key) == ""
    assert API_KEY not in serializers.serialize("json", [row])
    assert API_KEY not in json.dumps(list(Connection.objects.values("api_key")), default=str)


def test_it_stays_sealed_when_pickled_and_copied() -> None:
    row = again(builders.connection())
    assert API_KEY.encode() not in pickle.dumps(row)
    assert copy.deepcopy(row).api_key.open() == API_KEY


def test_a_deferred_secret_is_read_when_it_is_asked_for() -> None:
    row = builders.connection()
    assert Connection.objects.defer("api_key").get(pk=row.pk).api_key.open() == API_KEY
    assert Connection.objects.only("name").get(pk=row.pk).api_key.open() == API_KEY


def test_refreshing_brings_the_stored_secret_back() -> None:
    row = builders.connection()
    row.api_key = "sk-typed-and-not-saved"
    row.refresh_from_db()
    assert row.api_key.open() == API_KEY


def test_saving_other_fields_leaves_the_secret_as_it_is() -> None:
    row = builders.connection()
    before = stored(row)
    other = again(row)
    other.api_key, other.name = "sk-not-to-be-saved-00", "renamed"
    other.save(update_fields=["name"])
    assert stored(row) == before


def test_saving_a_row_as_it_was_read_does_not_seal_twice() -> None:
    row = again(builders.connection())
    before = stored(row)
    row.save()
    assert stored(row) == before


def test_validating_a_row_does_not_seal_its_printed_form() -> None:
    row = again(builders.connection())
    row.full_clean()
    row.save()
    assert again(row).api_key.open() == API_KEY


def test_a_row_without_a_place_cannot_hold_a_secret() -> None:
    with pytest.raises(ValueError, match="Save the row"):
        Connection(name="unsaved", api_key=API_KEY)


@pytest.mark.parametrize(
    "act", [lambda rows: rows.update(api_key=API_KEY), lambda rows: rows.filter(api_key=API_KEY).first()]
)
def test_clear_text_cannot_go_around_the_seal(act: Any) -> None:
    builders.connection()
    with pytest.raises(TypeError, match="Clear text"):
        act(Connection.objects.all())


def test_a_secret_cannot_be_searched() -> None:
    with pytest.raises(TypeError, match="cannot be searched"):
        Connection.objects.filter(api_key__startswith="v1").first()


def test_reseal_moves_every_secret_under_the_first_key(settings: Any) -> None:
    settings.SEALING_KEYS = (OLD,)
    row = builders.connection()
    builders.installation(connection=row, signing_secret="whsec_0123456789")
    settings.SEALING_KEYS = (NEW, OLD)
    builders.connection(name="newer")
    assert reseal() == {"key": key_id(NEW), "resealed": 2, "current": 1, "failed": 0}
    settings.SEALING_KEYS = (NEW,)
    assert again(row).api_key.open() == API_KEY
    assert reseal() == {"key": key_id(NEW), "resealed": 0, "current": 3, "failed": 0}


def test_reseal_says_what_it_could_not_open(settings: Any) -> None:
    settings.SEALING_KEYS = (OLD,)
    builders.connection()
    settings.SEALING_KEYS = (NEW,)
    with pytest.raises(CommandError, match="1 secret"):
        reseal()


def test_a_process_without_the_key_refuses_to_start(settings: Any) -> None:
    settings.SEALING_KEYS = (OLD,)
    builders.connection()
    assert_keys_open()
    settings.SEALING_KEYS = (NEW,)
    with pytest.raises(ImproperlyConfigured, match=key_id(OLD)):
        assert_keys_open("web")
    found = run_checks(databases=["default"], include_deployment_checks=False)
    assert "connections.E001" in {message.id for message in found}


def reseal() -> dict[str, Any]:
    out = StringIO()
    call_command("reseal", stdout=out)
    return dict(json.loads(out.getvalue()))
