"""Places in a request: where they may stand, what they become, and what is not filled."""

from __future__ import annotations

from typing import Any

import pytest

from operations import places
from operations.asking import Asked

RECORD = {
    "name": "Oak table",
    "price": 129.5,
    "tags": ["oak", "new"],
    "evil": "../organization?x=1",
    "blank": "",
    "sold": False,
}


def evaluate(expression: str) -> Any:
    """A language of one word."""
    if expression not in RECORD and expression != "missing":
        raise places.NotFilled(f"There is no {expression}.")
    return RECORD.get(expression)


def body(value: Any) -> Any:
    made, problems = places.filled(Asked("POST", "/responses", body=value), evaluate)
    assert not problems
    return made.body


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ price }}", 129.5),
        (" {{tags}} ", ["oak", "new"]),
        ("{{ sold }}", False),
        ("{{ blank }}", ""),
        ("Describe {{ name }}.", "Describe Oak table."),
        ("{{ name }}: {{ price }}", "Oak table: 129.5"),
        ("Tags {{ tags }}", "Tags oak, new"),
        ("{ name } and }} {{", "{ name } and }} {{"),
    ],
)
def test_a_text_that_is_one_place_becomes_the_value_and_others_hold_it(text: str, value: Any) -> None:
    assert body(text) == value


def test_places_stand_at_any_depth_and_nothing_else_changes() -> None:
    given = {"a": [{"text": "{{ name }}"}, 3, None, True], "{{ name }}": "key"}
    assert body(given) == {"a": [{"text": "Oak table"}, 3, None, True], "{{ name }}": "key"}


def test_query_headers_and_form_get_texts() -> None:
    asked = Asked(
        "POST", "/x", query=(("q", "{{ price }}"),), headers=(("X-A", "{{ name }}"),), form=(("f", "{{ tags }}"),)
    )
    made, problems = places.filled(asked, evaluate)
    assert (made.query, made.headers, made.form) == (
        (("q", "129.5"),),
        (("X-A", "Oak table"),),
        (("f", "oak, new"),),
    )
    assert not problems


def test_a_value_cannot_leave_its_part_of_the_path() -> None:
    asked = Asked("GET", places.quoted("/files/{{ evil }}/content"))
    made, _ = places.filled(asked, evaluate)
    assert made.path == "/files/..%2Forganization%3Fx%3D1/content"
    assert places.unquoted(asked.path) == "/files/{{ evil }}/content"


@pytest.mark.parametrize("expression", ["missing", "blank"])
def test_an_empty_part_of_a_path_is_refused(expression: str) -> None:
    _, problems = places.filled(Asked("DELETE", places.quoted(f"/files/{{{{ {expression} }}}}")), evaluate)
    assert {problem.expression for problem in problems} == {expression}


def test_what_the_record_does_not_have_is_said_and_where() -> None:
    asked = Asked("POST", "/x", body={"messages": [{"content": "On {{ missing }} and {{ typo }}"}]})
    _, problems = places.filled(asked, evaluate)
    assert [(each.where, each.expression) for each in problems] == [
        ("body messages 1 content", "missing"),
        ("body messages 1 content", "typo"),
    ]
    assert "no value" in problems[0].sentence and problems[1].sentence == "There is no typo."


def test_the_expressions_of_a_request_are_found_without_evaluating_any() -> None:
    asked = Asked("GET", places.quoted("/files/{{ a }}"), body=["{{ b }}", "{{c}} {{ a }}"])
    assert places.expressions(asked) == ["a", "b", "c", "a"]
    assert not places.has_places(Asked("GET", "/models"))
