"""What a test of a connection says of each kind of trouble. The far side is a function at the transport."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connections.actions import test_connection as run_test
from connections.actions import test_context as context_of
from connections.models import Connection
from connections.testing import model_rows
from logs.audit import SYSTEM
from logs.models import Call
from tests import builders
from tests.connections.builders import (
    SCOPE_MODELS,
    SCOPE_RESPONSES,
    Handler,
    always,
    error_answer,
    models_answer,
)

pytestmark = pytest.mark.django_db(transaction=True)


def after_test(row: Connection | None = None) -> Connection:
    row = row or builders.connection()
    return run_test(row, context_of(row, SYSTEM))


def by_operation(listing: httpx.Response, writing: httpx.Response) -> Handler:
    return lambda request: always(listing if request.method == "GET" else writing)(request)


def test_a_good_key_works_and_brings_the_list_of_models(far_side: Any) -> None:
    far_side(always(models_answer("gpt-6-luna", "gpt-6-astra", gpt_5_nano="2026-12-11")))
    row = after_test()
    assert (row.status, row.status_code) == ("ok", "")
    assert row.status_text == "The key is good for 3 models."
    assert row.last_ok_at == row.tested_at is not None
    assert row.models_seen == [
        {"id": "gpt-5-nano", "shutdown": "2026-12-11"},
        {"id": "gpt-6-astra", "shutdown": None},
        {"id": "gpt-6-luna", "shutdown": None},
    ]


def test_the_test_stands_in_the_log_with_its_cause(far_side: Any) -> None:
    far_side(always(models_answer("gpt-6-luna")))
    row = after_test()
    call = Call.objects.get()
    assert (call.operation, call.cause, call.cause_id, call.connection_id) == (
        "list_models",
        "connection test",
        str(row.pk),
        row.pk,
    )
    assert row.test_call_id == call.pk


def test_a_key_that_may_only_write_responses_is_limited_and_names_what_is_missing(far_side: Any) -> None:
    sent = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append((request.method, request.content))
        listing = error_answer(403, SCOPE_MODELS, "missing_scope")
        return by_operation(listing, error_answer(400, "Missing required parameter: 'model'."))(request)

    far_side(handler)
    row = after_test()
    assert (row.status, row.missing_permission) == ("limited", "api.model.read")
    assert "may write responses" in row.status_text
    assert sent[-1] == ("POST", b"{}"), "the second try must not be able to cost anything"
    assert row.last_ok_at


def test_a_key_that_may_do_neither_is_told_both(far_side: Any) -> None:
    far_side(by_operation(error_answer(401, SCOPE_MODELS), error_answer(401, SCOPE_RESPONSES)))
    row = after_test()
    assert (row.status, row.missing_permission) == ("failed", "api.responses.write")
    assert "api.model.read" in row.status_text


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (error_answer(401, "Incorrect API key provided.", "invalid_api_key"), "PB-1001", "Check the API key"),
        (error_answer(401, "No such organization: org-9.", "invalid_organization"), "PB-1003", "organization id"),
        (error_answer(401, "OpenAI-Project header should match project for API key.", "x"), "PB-1004", "project id"),
        (error_answer(429, "You exceeded your current quota.", "insufficient_quota"), "PB-2003", "credit"),
        (httpx.Response(200, text="<html>It works</html>", headers={"content-type": "text/html"}), "PB-1009", ""),
        (httpx.Response(200, json={"hello": "world"}), "PB-1009", "base URL"),
        (httpx.Response(302, headers={"location": "https://elsewhere.test/v1/models"}), "PB-1011", ""),
    ],
)
def test_each_refusal_has_its_own_code_and_says_what_to_do(
    far_side: Any, answer: httpx.Response, code: str, says: str
) -> None:
    far_side(always(answer))
    row = after_test()
    assert (row.status, row.status_code) == ("failed", code)
    assert says in row.status_text
    assert builders.API_KEY not in row.status_text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (httpx.ConnectError("[Errno 111] Connect call failed"), "PB-1006"),
        (httpx.ConnectTimeout("timed out"), "PB-1008"),
        (httpx.ReadTimeout("timed out"), "PB-1008"),
    ],
)
def test_each_way_of_not_arriving_has_its_own_code(far_side: Any, error: httpx.TransportError, code: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    far_side(handler)
    row = after_test()
    assert (row.status, row.status_code) == ("failed", code)


def test_a_host_that_does_not_exist_is_said_so() -> None:
    row = after_test(builders.connection(base_url="https://nowhere.invalid/v1"))
    assert (row.status, row.status_code) == ("failed", "PB-1005")


def test_a_name_of_a_private_address_is_found_out_when_it_is_dialled() -> None:
    row = after_test(builders.connection(base_url="http://localhost:8798/v1"))
    assert (row.status, row.status_code) == ("failed", "PB-1010")


def test_a_far_side_that_echoes_the_key_does_not_bring_it_onto_the_page(far_side: Any) -> None:
    far_side(always(error_answer(401, f"Incorrect API key provided: {builders.API_KEY}.", "invalid_api_key")))
    row = after_test()
    assert builders.API_KEY not in row.status_text


def test_a_key_that_cannot_be_opened_is_a_failed_test(settings: Any) -> None:
    row = builders.connection()
    settings.SEALING_KEYS = (b"n" * 32,)
    assert "SEALING_KEYS" in after_test(row).status_text


def test_an_answer_to_a_former_key_does_not_judge_the_new_one(far_side: Any) -> None:
    row = builders.connection()
    stale = Connection.objects.get(pk=row.pk)

    def handler(request: httpx.Request) -> httpx.Response:
        row.set_key("sk-fresh-0123456789")
        row.save()
        return error_answer(401, "Incorrect API key provided.", "invalid_api_key")

    far_side(handler)
    assert after_test(stale).status == "untested"


@pytest.mark.parametrize("junk", [None, [], "text", {"data": None}, {"data": {"id": "x"}}])
def test_what_is_no_list_of_models_is_none(junk: object) -> None:
    assert model_rows(junk) is None


def test_odd_rows_of_a_list_are_left_out() -> None:
    rows = [{"id": "b"}, {"id": 3}, None, {"id": "a", "shutdown_date": "soon"}, {"id": "x" * 200}, {"id": "b"}]
    assert model_rows({"data": rows}) == [{"id": "a", "shutdown": None}, {"id": "b", "shutdown": None}]
