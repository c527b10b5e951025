"""What the log keeps of a form with files."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from logs import redaction
from openai_api.multipart import multipart

PICTURE = bytes(range(256)) * 8


def kept(values, **files) -> redaction.Redacted:
    content, content_type = multipart(values, files)
    return redaction.body(content, content_type, {})


def test_a_form_is_told_field_by_field_and_a_picture_by_name_kind_and_size():
    form = kept({"purpose": "vision"}, file=("oak.png", PICTURE, "image/png"))
    assert form.text == "purpose: vision\nfile: oak.png, image/png, 2,048 bytes"
    assert form.size > len(PICTURE) and not form.truncated


def test_a_file_of_text_is_kept_up_to_the_limit():
    form = kept({}, file=("batch.jsonl", b'{"custom_id": "1"}\n' * 10_000, "application/jsonl"))
    assert form.text.startswith('file: batch.jsonl, application/jsonl, 190,000 bytes\n{"custom_id"')
    assert (len(form.text), form.truncated) == (redaction.LIMIT, True)


def test_no_key_stays_in_a_form():
    form = kept(
        {"password": "hunter2", "note": "sk-proj-0123456789abcdef"}, file=("k.txt", b"sk-0123456789", "text/plain")
    )
    assert "hunter2" not in form.text and "sk-" not in form.text
    assert form.text.count("[redacted:") == 3


@pytest.mark.parametrize(
    "content", [b"", b"--b", b"--b--", b"junk", b"--b\r\n\r\n--b--", b"--b\r\nx\xff\r\n\r\n\xff--b--"]
)
def test_a_broken_form_breaks_nothing(content):
    assert redaction.body(content, "multipart/form-data; boundary=b", {}).size == len(content)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20])
def test_a_key_that_comes_in_pieces_is_forgotten_and_nothing_else_is(size):
    key = "sk-canary/key-0123456789"
    said = f'{{"echo": "{key}", "json": {json.dumps(key)}, "url": "{quote(key, safe="")}", "near": "sk-canary"}} sk-can'
    forgetter = redaction.Forgetter(key)
    pieces = [said.encode()[start : start + size] for start in range(0, len(said), size)]
    got = b"".join([*map(forgetter.feed, pieces), forgetter.rest()])
    assert got == redaction.forget(said.encode(), key)
    assert b"0123456789" not in got and got.endswith(b'"near": "sk-canary"} sk-can')


def test_values_are_left_out_of_every_text_and_short_ones_where_they_are_words():
    body = {
        "input": 'Mara says "SE", 42 and SEA',
        "n": [42, 42.0, 420, True],
        "m": 'say \\"hi\\"\n',
        "42": "Maraschino",
    }
    values = ("Mara", "SE", "42", 'say "hi"\n')
    kept = json.loads(redaction.leave_out(json.dumps(body).encode(), values, numbers=True))
    out = redaction.UNLOGGED
    assert kept["input"] == f'{out} says "{out}", {out} and SEA'
    assert kept["n"] == [out, out, 420, True]
    assert kept["42"] == f"{out}schino"
    assert json.loads(redaction.leave_out(json.dumps(body).encode(), values))["n"] == body["n"]


def test_values_are_left_out_of_what_is_no_json_and_long_ones_too():
    long = "x" * 50_000
    assert (
        redaction.leave_out(f"<p>Mara {long}".encode(), ("Mara", long))
        == f"<p>{redaction.UNLOGGED} {redaction.UNLOGGED}".encode()
    )
    inner = json.dumps({"said": 'Oak "9" table'})
    assert "Oak" not in redaction.leave_out(json.dumps({"text": inner}).encode(), ('Oak "9" table',)).decode()
    assert redaction.leave_out(b"as it is", ()) == b"as it is"
