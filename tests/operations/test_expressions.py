"""Expressions in the form of an operation: what they know, what they come to, and what is said where they come to nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser

from operations import formulas
from operations.formulas import MOST, context, worked_out
from tests.flows.builders import product
from tests.operations.builders import installation, said
from tests.operations.filling import Fields
from tests.operations.test_forms import at

KNOWN = context(
    "Shop", "gpt-6-luna", datetime(2026, 11, 21, 12, tzinfo=UTC), {"key": "SKU-1", "fields": {"id": "file-1"}}
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("=today", "2026-11-21"),
        ("= now - 86400", "1795176000"),
        ("=installation.name", "Shop"),
        ("=installation.model", "gpt-6-luna"),
        ("=fields.id", "file-1"),
        ("=key & '!'", "SKU-1!"),
        ("=1 = 1", "true"),
        ("==today", "=today"),
        ("today", "today"),
    ],
)
def test_a_text_that_begins_with_a_sign_is_worked_out(text: str, value: str) -> None:
    assert worked_out({"query/after": text}, KNOWN) == ({"query/after": value}, {})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("=", "empty"),
        ("=$nothing()", "no function"),
        ("=fields", "It comes to an object"),
        ("=[1, 2]", "It comes to a list"),
        ("=fields.missing", "It comes to nothing"),
        ("=($f := function($x){$f($x)}; $f(1))", "outside its bounds"),
    ],
)
def test_what_has_no_value_says_why(text: str, sentence: str) -> None:
    found, problems = worked_out({"path/file_id": text}, KNOWN)
    assert sentence in problems["path/file_id"] and found["path/file_id"] == ""


def test_texts_of_the_body_are_texts() -> None:
    typed = {"body/input": "= 1 + 1", "query/x#in": "=1"}
    assert worked_out(typed, KNOWN) == (typed, {})


def test_a_form_has_so_many_expressions_and_no_more() -> None:
    _, problems = worked_out({f"query/{number}": "=1" for number in range(MOST + 1)}, KNOWN)
    assert list(problems) == [f"query/{MOST}"]


def test_a_body_must_be_an_object() -> None:
    assert formulas.body("$merge([body, {'n': 2}])", {"a": 1}, KNOWN) == {"a": 1, "n": 2}
    with pytest.raises(formulas.ExpressionError, match="It comes to a list, and a body is an object"):
        formulas.body("[1, 2]", {}, KNOWN)


def test_values_that_begin_with_the_sign_are_typed_with_two() -> None:
    assert formulas.escaped({"query/after": "=x", "body/input": "=x"}) == {"query/after": "==x", "body/input": "=x"}


pages = pytest.mark.django_db(transaction=True)


@pages
@time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=True)
def test_path_and_query_are_sent_as_they_come_to(as_operator: Browser, far: Any) -> None:
    side = far()
    here = installation()
    form = at(as_operator, here, "list_vector_store_files")
    form.values |= {
        "path/vector_store_id": "='vs_' & installation.model",
        "query/limit": "=2 * 5",
        "query/after": "==x",
    }
    assert form.press("run").status_code == 302
    assert side.request.url.path.endswith("/vector_stores/vs_gpt-6-luna/files")
    assert dict(side.request.url.params) == {"limit": "10", "after": "=x"}


@pages
def test_what_they_come_to_is_shown_before_it_is_sent(as_operator: Browser, far: Any) -> None:
    side = far()
    form = at(as_operator, installation(), "list_files")
    assert "What is sent" not in form.text
    form.values["query/limit"] = "=2 * 5"
    form.press("check")
    assert "GET /files?limit=10" in said(form.answer) and form.values["query/limit"] == "=2 * 5"
    form.values["query/limit"] = "=$foo(1)"
    form.press("run")
    assert "Limit: Line 1, character 3: There is no function foo." in said(form.answer)
    assert not side.requests


@pages
def test_a_value_is_checked_as_if_it_had_been_typed(as_operator: Browser, far: Any) -> None:
    side = far()
    form = at(as_operator, installation(), "list_files")
    form.values["query/limit"] = "='many'"
    form.press("run")
    assert "“many” is no number" in said(form.answer) and not side.requests


@pages
def test_an_expression_builds_the_body(as_operator: Browser, far: Any) -> None:
    side = far()
    form = at(as_operator, installation(), "create_response")
    form.values |= {"body/input": "Hi", "formula": '$merge([body, {"metadata": {"model": installation.model}}])'}
    assert form.press("run").status_code == 302
    assert b'"metadata": {"model": "gpt-6-luna"}' in side.request.content and b'"input": "Hi"' in side.request.content


@pages
def test_a_body_that_cannot_be_built_is_not_sent(as_operator: Browser, far: Any) -> None:
    side = far()
    form = at(as_operator, installation(), "create_response")
    form.values |= {"body/input": "Hi", "formula": "$merge(["}
    form.press("run")
    assert 'id="f-formula-e"' in form.text and "Body by an expression" in said(form.answer)
    assert form.values["formula"] == "$merge([" and not side.requests


@pages
def test_expressions_know_the_record_that_was_chosen(as_operator: Browser, far: Any) -> None:
    side = far()
    product("SKU-1", name="Oak table")
    here = installation()
    form = at(as_operator, here, "list_files")
    form.values |= {"record": "Product/SKU-1", "query/purpose": "=fields.name"}
    assert form.press("run").status_code == 302
    assert side.request.url.params["purpose"] == "Oak table"
    form = at(as_operator, here, "list_files")
    form.values |= {"record": "Product/SKU-9"}
    form.press("run")
    assert "There is no record “Product/SKU-9”" in said(form.answer) and len(side.requests) == 1


@pages
def test_what_is_confirmed_is_what_is_sent(as_administrator: Browser, far: Any) -> None:
    side = far()
    product("SKU-1", name="file-1")
    form = at(as_administrator, installation(), "delete_file")
    form.values |= {"record": "Product/SKU-1", "path/file_id": "=fields.name"}
    form.press("run")
    assert "Delete file file-1" in said(form.answer)
    assert 'name="path/file_id" value="file-1"' in form.text and not side.requests


@pages
def test_an_earlier_request_is_no_expression(as_operator: Browser, far: Any) -> None:
    far()
    here = installation()
    form = at(as_operator, here, "list_files")
    form.values["query/after"] = "==x"
    answer = form.press("run")["Location"].rstrip("/").rpartition("/")[2]
    again = as_operator.get(f"/operations/{here.pk}/list_files/?again={answer}")
    assert Fields(again.content.decode()).values["query/after"] == "==x"
