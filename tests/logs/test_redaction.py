"""What is taken out before a line of a log file or a row is written."""

from __future__ import annotations

import logging

import pytest

from logs.redaction import Formatter, clean, forget

SECRETS = [
    "sk-proj-0123456789abcdef",
    "pbw_0123456789abcdef",
    "pbs_0123456789-_abcdef",
    "whsec_MDEyMzQ1Njc4OWFiY2RlZg==",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("text", ["{}", "Not Found: /setup/{}/", "http://127.0.0.1/hookapi?{}", '"{}"', "a={}&b=1"])
def test_what_looks_like_a_key_is_left_out_wherever_it_stands(secret, text):
    assert "0123456789" not in clean(text.format(secret)) and "whsec_MD" not in clean(text.format(secret))


def test_a_log_line_and_its_traceback_hold_no_key():
    record = logging.makeLogRecord({"msg": "Not Found: %s", "args": (f"/setup/{SECRETS[2]}/",)})
    try:
        raise ValueError(SECRETS[0])
    except ValueError as error:
        record.exc_info = (ValueError, error, error.__traceback__)
    line = Formatter("{message}", style="{").format(record)
    assert "0123456789" not in line and "ValueError" in line and "Not Found: /setup/" in line


def test_a_word_that_serves_as_a_key_is_no_secret():
    assert forget(b"none of these", "none") == b"none of these"
