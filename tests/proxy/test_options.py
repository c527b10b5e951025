"""What a caller chooses by header, and how it is told that a choice can't be read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from openai_api.retries import RetryPolicy
from proxy.options import KNOWN, BadOption, read
from tests.conftest import ROOT

OWN = RetryPolicy(count=5, delay=3.0, backoff=False, cap=20.0, on_all_errors=True)


def chosen(**headers: str):
    return read({f"x-patchbay-{name.replace('_', '-')}": value for name, value in headers.items()}, OWN)


def test_by_default_nothing_is_repeated_because_the_sdk_repeats_by_itself() -> None:
    found = read({"content-type": "application/json"}, OWN)
    assert (found.policy, found.timeout, found.tags) == (RetryPolicy(count=0), 600.0, "")
    assert found.correlation_id == "", "each call begins a story of its own"


def test_every_option_is_read() -> None:
    found = chosen(retries="3", retry_on="429, 5xx", timeout="2.5", correlation_id="order:7", tags=" nightly ,shop-2,")
    assert (found.policy.count, found.policy.only, found.policy.on_all_errors) == (3, ("429", "5xx"), False)
    assert (found.timeout, found.correlation_id, found.tags) == (2.5, "order:7", "nightly, shop-2")
    assert chosen(retries="1", retry_on="all").policy.on_all_errors


def test_how_often_and_after_what_is_the_callers_and_how_long_the_installations() -> None:
    assert chosen(retries="1").policy == RetryPolicy(count=1, delay=3.0, backoff=False, cap=20.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("retries", value) for value in ("", "-1", "11", "1.5", "many", "²", "1" * 5000)),
        *(("retry_on", value) for value in ("6xx", "4x", "500 502", "some", "42")),
        *(("timeout", value) for value in ("", "0", "-1", "nan", "inf", "3601", "soon", "1e9")),
        *(("correlation_id", value) for value in ("a b", "x" * 41, "é", "a\tb", "<b>")),
        *(("tags", value) for value in ("a b", "a,b,c,d,e,f", "x" * 41, "é")),
    ],
)
def test_what_cannot_be_read_is_refused_and_the_header_named(name: str, value: str) -> None:
    with pytest.raises(BadOption, match=f"x-patchbay-{name.replace('_', '-')}"):
        chosen(**{name: value})


def test_an_option_with_a_typing_error_is_not_silently_left_out() -> None:
    with pytest.raises(BadOption, match="x-patchbay-retrys is unknown"):
        chosen(retrys="3")


@given(some.dictionaries(some.sampled_from(sorted(KNOWN)), some.text(max_size=60)))
def test_whatever_comes_is_read_or_refused(headers: dict[str, str]) -> None:
    try:
        found = read(headers, OWN)
    except BadOption:
        return
    assert 0 <= found.policy.count <= 10 and 0 < found.timeout <= 3600
    assert len(found.correlation_id) <= 40 and len(found.tags) <= 220


def test_the_page_and_the_readme_name_every_option_and_no_other() -> None:
    for place in ("README.md", "templates/proxy/_options.html"):
        assert set(re.findall(r"x-patchbay-(?!call-id)[a-z-]+", (ROOT / place).read_text())) == KNOWN, place
