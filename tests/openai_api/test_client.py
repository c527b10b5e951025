"""The staircase: every call has its row before the wire and its end after it, whatever the far side does."""

from __future__ import annotations

import contextlib
import html
import json
import time
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest
from django.db import transaction

from connections.clients import client_for
from logs.models import Attempt, Body, Call
from openai_api import errors
from openai_api.retries import RetryPolicy
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = RetryPolicy(count=2, delay=0.01, backoff=False)
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "gpt-6-luna",
    "output": [],
    "usage": {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 100,
        "total_tokens": 1100,
    },
}


def answer(**over):
    return httpx.Response(200, json={**RESPONSE, **over}, headers={"x-request-id": "req_1"})


def error(status, code=None, kind="invalid_request_error", message="no", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(
        status, json={"error": {"message": message, "type": kind, "param": None, "code": code}}, headers=named
    )


def create(retries=QUICK, connection=None, **options):
    body = {"model": "gpt-6-luna", "input": "Say hello"}
    client = client_for(builders.installation(**({"connection": connection} if connection else {})))
    return client.call("create_response", json=body, context=builders.context(), retries=retries, **options)


def only_call() -> Call:
    return Call.objects.get()


def test_the_row_stands_before_the_wire_and_is_completed_after(far_side):
    seen = []

    def handler(request):
        seen.append((only_call().state, Attempt.objects.get().state, Body.objects.get(attempt=0).size > 0))
        return answer()

    far_side(handler)
    got = create()
    assert seen == [("sending", "sending", True)]
    call = only_call()
    assert (call.id, call.state, call.http_status, call.request_id, call.object_id) == (
        got.call_id,
        "done",
        200,
        "req_1",
        "resp_1",
    )
    assert (call.input_tokens, call.output_tokens, call.total_tokens) == (1000, 100, 1100)
    assert call.cost is not None and call.cost > 0 and "genai-prices" in call.price_basis
    assert got.json["id"] == "resp_1"


def test_the_key_goes_over_the_wire_and_into_no_row(far_side):
    sent = []
    far_side(lambda request: sent.append(request.headers["authorization"]) or answer(note=builders.API_KEY))
    create()
    assert sent == [f"Bearer {builders.API_KEY}"]
    for body in Body.objects.all():
        assert builders.API_KEY not in body.text + str(body.headers)


def repeated_everywhere(key: str) -> list[httpx.Response]:
    """Refusals that repeat the key: in JSON, in headers, in an address, in a page."""
    told = {"message": f"Incorrect API key provided: {key}.", "type": "invalid_request_error", "code": key}
    headers = {"x-request-id": key, "x-ratelimit-reset-requests": key, "www-authenticate": f'Bearer key="{key}"'}
    address = f"Try again at https://api.openai.test/v1/models?key={quote(key, safe='')}"
    page = {"content-type": f"text/html; key={key}"}
    return [
        httpx.Response(401, json={"error": told}, headers=headers),
        httpx.Response(500, json={"error": {**told, "message": address, "code": None}}),
        httpx.Response(200, json={**RESPONSE, "status": "failed", "error": told}),
        httpx.Response(502, text=f"<p>{html.escape(key)}</p>", headers=page),
        httpx.Response(307, headers={"location": f"https://elsewhere.test/{quote(key)}"}),
    ]


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("key", ["sk-test-canary.with+more/0123456789=", 'canary/of+another="&<kind>\\0123456789'])
def test_a_key_that_the_far_side_repeats_is_in_no_row_and_no_sentence(far_side, key, number):
    far_side(lambda request: repeated_everywhere(key)[number])
    with pytest.raises(errors.CallError) as caught:
        create(RetryPolicy(count=0), connection=builders.connection(api_key=key))
    rows = [*Call.objects.values(), *Attempt.objects.values(), *Body.objects.values()]
    said = " ".join([str(rows), caught.value.sentence, caught.value.code])
    assert "redacted: key" in said
    for part in (key[12:24], quote(key, safe="")[12:24], "0123456789"):
        assert part not in said, said


def test_a_key_that_a_stream_repeats_is_not_kept(far_side):
    key = "canary-of-another-kind"
    event = {"type": "error", "error": {"message": f"Bad key {key}", "code": "x"}}
    far_side(lambda request: httpx.Response(200, text=f"data: {json.dumps(event)}\n\n"))
    client = client_for(builders.installation(connection=builders.connection(api_key=key)))
    with client.stream("create_response", json={"stream": True}, context=builders.context()) as chunks:
        assert key in b"".join(chunks).decode()
    assert key not in str([*Call.objects.values(), *Attempt.objects.values(), *Body.objects.values()])


def test_an_answer_is_given_as_it_came_even_where_it_holds_a_word_that_is_the_key(far_side):
    far_side(lambda request: answer(id="resp_none"))
    got = create(connection=builders.connection(api_key="none"))
    assert got.json["id"] == "resp_none"
    assert only_call().object_id == "resp_none"


def test_a_call_inside_a_transaction_is_refused_and_never_sent(far_side):
    far_side(lambda request: pytest.fail("sent"))
    client = client_for(builders.installation())
    with pytest.raises(RuntimeError, match="transaction"), transaction.atomic():
        client.call("list_models", context=builders.context())
    assert not Call.objects.exists()


def test_an_unknown_model_costs_unknown_not_zero(far_side):
    far_side(lambda request: answer(model="no-such-model"))
    create()
    assert only_call().cost is None


def test_a_rate_limit_is_retried_after_the_time_that_was_asked(far_side):
    answers = [error(429, "rate_limit_exceeded", "requests", retry_after_ms="30"), answer()]
    far_side(lambda request: answers.pop(0))
    create()
    first, second = Attempt.objects.order_by("number")
    assert only_call().state == "done" and only_call().attempts == 2
    assert first.http_status == 429 and "retry-after-ms: 30" in first.retry_reason and first.retry_after_ms == 30
    assert (second.started_at - first.finished_at).total_seconds() >= 0.03


@pytest.mark.parametrize(
    "code", ["insufficient_quota", "credit_balance_exhausted", "project_spend_limit_exceeded", "billing_not_active"]
)
def test_no_credit_is_never_retried(far_side, code):
    far_side(lambda request: error(429, code, "insufficient_quota"))
    with pytest.raises(errors.NoCredit):
        create(RetryPolicy(count=5, delay=0.01, on_all_errors=True))
    assert Attempt.objects.count() == 1


def test_a_bad_request_is_never_retried(far_side):
    far_side(lambda request: error(400, "unsupported_parameter"))
    with pytest.raises(errors.BadRequest) as caught:
        create(RetryPolicy(count=5, delay=0.01, on_all_errors=True))
    assert Attempt.objects.count() == 1 and caught.value.call_id == only_call().id
    assert only_call().state == "failed" and only_call().error_code == "unsupported_parameter"


def test_a_post_without_an_answer_is_unknown_and_not_paid_twice(far_side):
    def cut(request):
        raise httpx.ReadError("gone")

    far_side(cut)
    with pytest.raises(errors.OutcomeUnknown):
        create()
    assert (only_call().state, Attempt.objects.count()) == ("unknown", 1)


def test_the_rest_before_a_retry_is_not_blamed_on_a_limit(far_side):
    answers = iter([error(503, "server_is_overloaded"), answer()])
    far_side(lambda request: next(answers))
    create(RetryPolicy(count=1, delay=0.15, backoff=False))
    assert [attempt.wait_cause for attempt in Attempt.objects.order_by("number")] == ["", ""]


def test_it_is_sent_again_only_when_the_caller_allows_it(far_side):
    def cut(request):
        raise httpx.ReadTimeout("slow")

    far_side(cut)
    with pytest.raises(errors.OutcomeUnknown):
        create(RetryPolicy(count=2, delay=0.01, repeat_unknown=True))
    assert Attempt.objects.count() == 3


def test_a_read_without_an_answer_is_simply_repeated(far_side):
    tries = []

    def cut(request):
        tries.append(1)
        if len(tries) < 3:
            raise httpx.ReadError("gone")
        return httpx.Response(200, json={"object": "list", "data": []})

    far_side(cut)
    client_for(builders.installation()).call("list_models", context=builders.context(), retries=QUICK)
    assert (only_call().state, only_call().attempts) == ("done", 3)


def test_a_failure_inside_200_counts_as_a_failure(far_side):
    far_side(lambda request: answer(status="failed", error={"code": "server_error", "message": "It broke"}))
    with pytest.raises(errors.FailedInside, match="It broke"):
        create()
    assert (only_call().state, only_call().http_status, only_call().error_code) == ("failed", 200, "server_error")


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (lambda r: error(401, "invalid_api_key"), errors.BadKey),
        (lambda r: error(403, message="Missing scopes: api.model.read"), errors.MissingScope),
        (lambda r: error(401, "mismatched_organization"), errors.WrongOrganization),
        (
            lambda r: error(401, "mismatched_project", message="OpenAI-Project header should match project"),
            errors.WrongProject,
        ),
        (lambda r: error(404, "model_not_found"), errors.ModelNotFound),
        (lambda r: httpx.Response(200, html="<h1>Router</h1>"), errors.NotOpenAI),
        (lambda r: httpx.Response(404, html="<h1>nginx</h1>"), errors.NotOpenAI),
        (lambda r: httpx.Response(302, headers={"location": "https://elsewhere.test"}), errors.Redirected),
        (
            lambda r: httpx.Response(200, content=b"{nope", headers={"content-type": "application/json"}),
            errors.NotOpenAI,
        ),
    ],
)
def test_each_refusal_is_its_own_error(far_side, handler, kind):
    far_side(handler)
    with pytest.raises(kind):
        create()
    assert only_call().state == "failed" and only_call().error_message


def test_a_stream_passes_through_byte_for_byte_and_is_recorded_to_its_end(far_side):
    events = (
        b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_9","object":"response"}}\n\n'
    )
    done = b'data: {"type":"response.completed","response":' + httpx.Response(200, json=RESPONSE).content + b"}\n\n"
    far_side(lambda r: httpx.Response(200, content=events + done, headers={"content-type": "text/event-stream"}))
    client = client_for(builders.installation())
    with client.stream(
        "create_response", json={"model": "gpt-6-luna", "stream": True}, context=builders.context()
    ) as chunks:
        got = b"".join(chunks)
    assert got == events + done
    call = only_call()
    assert (call.state, call.stream, call.object_id, call.output_tokens) == ("done", True, "resp_1", 100)


def test_a_stream_that_stops_early_is_unknown_with_what_came(far_side):
    part = b'data: {"type":"response.created","response":{"id":"resp_9","object":"response"}}\n\n'
    far_side(lambda r: httpx.Response(200, content=part, headers={"content-type": "text/event-stream"}))
    client = client_for(builders.installation())
    with client.stream("create_response", json={"stream": True}, context=builders.context()) as chunks:
        list(chunks)
    assert only_call().state == "unknown" and "resp_9" in Body.objects.get(attempt=1).text


def test_an_error_event_inside_a_stream_is_a_failure(far_side):
    part = b'data: {"type":"error","code":"server_is_overloaded","message":"Busy"}\n\ndata: [DONE]\n\n'
    far_side(lambda r: httpx.Response(200, content=part, headers={"content-type": "text/event-stream"}))
    client = client_for(builders.installation())
    with client.stream("create_response", json={"stream": True}, context=builders.context()) as chunks:
        list(chunks)
    assert (only_call().state, only_call().error_code) == ("failed", "server_is_overloaded")


def test_a_reader_that_leaves_a_stream_cancels_the_call(far_side):
    far_side(lambda r: httpx.Response(200, content=b"data: {}\n\n", headers={"content-type": "text/event-stream"}))
    client = client_for(builders.installation())
    with client.stream("create_response", json={"stream": True}, context=builders.context()):
        pass
    assert only_call().state == "cancelled"


def test_over_the_limit_a_call_is_rejected_with_the_time_to_come_back(far_side):
    far_side(lambda r: httpx.Response(200, json={"object": "list", "data": []}))
    client = client_for(builders.installation(throttle_limit=1, throttle_seconds=30, excess="reject"))
    client.call("list_models", context=builders.context())
    with pytest.raises(errors.Rejected) as caught:
        client.call("list_models", context=builders.context())
    assert 25 < caught.value.retry_after <= 30.2  # the window ends with one of its 250 portions
    assert sorted(Call.objects.values_list("state", flat=True)) == ["done", "rejected"]
    assert Attempt.objects.count() == 1


def test_a_call_waits_in_line_until_the_window_has_room(far_side):
    far_side(lambda r: httpx.Response(200, json={"object": "list", "data": []}))
    client = client_for(builders.installation(throttle_limit=1, throttle_seconds=1))
    for _ in range(2):
        client.call("list_models", context=builders.context())
    first, second = Attempt.objects.order_by("started_at")
    assert (second.started_at - first.finished_at).total_seconds() >= 0.99
    assert second.queue_ms >= 900 and second.wait_cause == "window"


ODD = "what \0 no database and \ud800 no encoding takes"


@pytest.mark.parametrize(
    "strange",
    [
        httpx.Response(400, text=json.dumps({"error": {"message": ODD, "type": ODD, "param": None, "code": ODD}})),
        httpx.Response(200, text=json.dumps({**RESPONSE, "id": ODD, "model": ODD})),
        httpx.Response(502, content=b"<h1>\0 \xff</h1>", headers={"content-type": "text/html"}),
        httpx.Response(200, text=json.dumps({**RESPONSE, "status": "failed", "error": {"message": ODD, "code": ODD}})),
    ],
)
def test_what_no_text_column_takes_does_not_keep_a_call_open(far_side, strange):
    far_side(lambda request: strange)
    with contextlib.suppress(errors.CallError):
        create(RetryPolicy(count=0))
    assert only_call().state in {"done", "failed"}
    assert Attempt.objects.get().state == only_call().state


def test_the_time_at_openai_is_what_openai_took_not_what_we_did_with_the_answer(far_side, monkeypatch):
    def after_a_while(request: httpx.Request) -> httpx.Response:
        time.sleep(0.05)
        return answer()

    far_side(after_a_while)

    def slow(*rest: object) -> tuple[None, str]:
        time.sleep(0.3)
        return None, ""

    monkeypatch.setattr("openai_api.pricing.cost", slow)
    create()
    call, attempt = only_call(), Attempt.objects.get()
    assert 50 <= call.latency_ms < 250
    assert round((attempt.finished_at - attempt.started_at) / timedelta(milliseconds=1)) == call.latency_ms
    assert attempt.started_at <= attempt.headers_at <= attempt.finished_at == call.finished_at
