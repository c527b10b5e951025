"""The audit trail."""

import re

import pytest

from tests.logs.builders import audited

pytestmark = pytest.mark.django_db


def test_a_change_is_shown_with_before_and_after(as_administrator):
    audited(
        changes={"base_url": ["https://a.example", "https://b.example"], "api_key": ["••••", "••••"], "new": [None, 5]}
    )
    html = as_administrator.get("/audit/").content.decode()
    for text in ("ada", "Changed", "OpenAI main", "base_url: https://a.example → https://b.example", "new: 5"):
        assert text in html


@pytest.mark.parametrize("changes", [{"a": []}, {"a": [1]}, {"a": "text"}, {"a": None}, {"<b>": ["<i>", "<u>"]}])
def test_changes_of_any_shape_are_shown_as_text(as_administrator, changes):
    audited(changes=changes)
    html = as_administrator.get("/audit/").content.decode()
    assert "<i>" not in html


def test_pages_walk_through_everything_once(as_administrator):
    for number in range(70):
        audited(object_name=f"thing {number:03}")
    seen, address = [], "/audit/"
    while address:
        html = as_administrator.get(address).content.decode()
        seen += re.findall(r"thing \d{3}", html)
        older = re.search(r'rel="next" href="([^"]+)"', html)
        address = "/audit/" + older[1] if older else ""
    assert seen == [f"thing {number:03}" for number in reversed(range(70))]
