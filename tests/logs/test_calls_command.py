"""`manage.py calls`."""

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

from tests.logs.builders import USAGE, ago, call, calls

pytestmark = pytest.mark.django_db


def output(capsys, **options):
    call_command("calls", **options)
    return capsys.readouterr().out


def test_each_call_is_a_line_of_json_newest_first(capsys):
    rows = calls(3)
    lines = [json.loads(line) for line in output(capsys).splitlines()]
    assert [line["id"] for line in lines] == [str(row.pk) for row in rows]


def test_a_line_holds_every_column_of_the_call(capsys):
    row = call(**USAGE, cause="run item", cause_id="311")
    line = json.loads(output(capsys))
    assert line["cost"] == "0.000843000"
    assert line["created_at"] == row.created_at.isoformat()
    assert (line["operation"], line["total_tokens"], line["cause_id"]) == ("create_response", 1590, "311")
    assert line["stream"] is False
    assert line["sent_at"] is None


def test_the_filters_are_those_of_the_page(capsys):
    wanted = call(state="failed", installation_id=7)
    call(state="failed", installation_id=7, created_at=ago(hours=2))
    call(state="done", installation_id=7)
    call(state="failed", installation_id=8)
    assert json.loads(output(capsys, installation="7", since="1h", state="failed"))["id"] == str(wanted.pk)


def test_an_installation_may_be_named(capsys):
    wanted = call(installation_name="OpenAI - Production")
    call()
    assert json.loads(output(capsys, installation="OpenAI - Production"))["id"] == str(wanted.pk)


def test_json_is_one_list(capsys):
    assert json.loads(output(capsys, format="json")) == []
    calls(2)
    assert len(json.loads(output(capsys, format="json"))) == 2


def test_csv_opens_in_a_spreadsheet_without_running_anything(capsys):
    call(cause_label="=cmd()", error_message='a, "quoted"\ntext')
    (row,) = csv.DictReader(io.StringIO(output(capsys, format="csv")))
    assert row["cause_label"] == "'=cmd()"
    assert row["error_message"].replace("\r\n", "\n") == 'a, "quoted"\ntext'


def test_the_limit_is_kept(capsys):
    calls(5)
    assert len(output(capsys, limit=2).splitlines()) == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"since": "yesterday"}, "Time: This is no length of time"),
        ({"state": "broken"}, "Outcome: broken is not one of the choices"),
        ({"http": "abc"}, "HTTP: This is no HTTP status"),
        ({"limit": 0}, "--limit is 0"),
    ],
)
def test_a_wrong_option_is_refused_in_a_sentence(options, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("calls", **options)


def test_an_unknown_format_is_refused():
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("calls", "--format", "xml")


def test_a_tag_is_printed_and_can_be_asked_for(capsys):
    call(cause="proxy", tags="nightly, shop-2")
    call(cause="proxy", tags="shop-21")
    assert [json.loads(line)["tags"] for line in output(capsys, tag="shop-2").splitlines()] == ["nightly, shop-2"]
