import threading
import time

import httpx
import openai
import pytest

from sandbox.refusals import REFUSALS
from tests.sandbox.conftest import Client, Sandbox

ASKED = {"model": "gpt-6-luna", "input": "Oak desk"}
CHAT = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Oak desk"}]}
QUOTAS = [name for name, row in REFUSALS.items() if row.status == 429]


@pytest.mark.parametrize("kind", REFUSALS)
def test_every_refusal_has_its_status_and_body_and_then_is_over(sandbox: Sandbox, kind):
    sandbox.fail(kind)
    answer = sandbox.post("responses", ASKED)
    row = REFUSALS[kind]
    assert answer.status_code == row.status
    assert answer.json()["error"] == {"message": row.message, "type": row.type, "param": None, "code": row.code}
    assert answer.headers["x-request-id"].startswith("req_")
    assert sandbox.post("responses", ASKED).status_code == 200


@pytest.mark.parametrize("dimension", ["requests", "tokens"])
def test_a_rate_limit_says_which_and_when_to_come_back(sandbox: Sandbox, dimension):
    sandbox.fail("rate_limit_exceeded", type=dimension, retry_after=3, retry_after_ms=2500)
    answer = sandbox.post("responses", ASKED)
    assert (answer.status_code, answer.json()["error"]["type"]) == (429, dimension)
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"
    assert "try again in 2.5s" in answer.json()["error"]["message"]
    assert (answer.headers["retry-after"], answer.headers["retry-after-ms"]) == ("3", "2500")
    assert answer.headers[f"x-ratelimit-remaining-{dimension}"] == "0"
    assert answer.headers[f"x-ratelimit-reset-{dimension}"] == "2.5s"


def test_a_rate_limit_can_come_without_any_headers(sandbox: Sandbox):
    sandbox.fail("rate_limit_exceeded", headers=False)
    names = sandbox.post("responses", ASKED).headers
    assert not [name for name in names if name.startswith(("retry-after", "x-ratelimit"))]


@pytest.mark.parametrize("kind", QUOTAS)
def test_a_spent_quota_says_nothing_about_trying_again(sandbox: Sandbox, kind):
    sandbox.fail(kind)
    assert "retry-after" not in sandbox.post("responses", ASKED).headers


def test_an_order_may_add_retry_headers_to_any_refusal(sandbox: Sandbox):
    sandbox.fail("503", retry_after=7)
    assert sandbox.post("responses", ASKED).headers["retry-after"] == "7"


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_scope_is_named(sandbox: Sandbox, status):
    sandbox.fail("missing_scope", scope="model.request", status=status)
    answer = sandbox.post("responses", ASKED)
    assert answer.status_code == status
    assert "Missing scopes: model.request" in answer.json()["error"]["message"]


def test_a_gateway_answers_in_html(sandbox: Sandbox):
    sandbox.fail("502_html")
    answer = sandbox.post("responses", ASKED)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (502, "text/html")


def test_malformed_is_200_without_json(sandbox: Sandbox):
    sandbox.fail("malformed")
    answer = sandbox.post("responses", ASKED)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Unterminated"):
        answer.json()


def test_close_ends_the_connection_without_an_answer(sandbox: Sandbox):
    sandbox.fail("close")
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.post("responses", ASKED)
    (row,) = sandbox.journal()
    assert (row["status"], row["fault"]) == (None, "close")


def test_slow_answers_late_and_well(sandbox: Sandbox):
    sandbox.fail("slow", seconds=0.15)
    begun = time.monotonic()
    assert sandbox.post("responses", ASKED).status_code == 200
    assert time.monotonic() - begun >= 0.15


def test_hang_never_answers_and_ends_when_the_caller_goes(sandbox: Sandbox):
    sandbox.fail("hang")
    with pytest.raises(httpx.ReadTimeout):
        sandbox.http.post("/v1/responses", json=ASKED, timeout=0.1)
    deadline = time.monotonic() + 30
    while sandbox.order("GET", "journal")["concurrent"]:
        assert time.monotonic() < deadline


def test_failed_is_200_with_a_failed_response(sandbox: Sandbox, client: Client):
    sandbox.fail("failed", message="The model gave up.")
    answer = client.responses.create(**ASKED)
    assert answer.status == "failed"
    assert answer.error and answer.error.message == "The model gave up."
    assert answer.output == []


def test_failed_in_a_stream_is_its_last_event(sandbox: Sandbox, client: Client):
    sandbox.fail("failed")
    assert [event.type for event in client.responses.create(**ASKED, stream=True)][-1] == "response.failed"


def test_incomplete_is_200_with_the_reason(sandbox: Sandbox, client: Client):
    sandbox.fail("incomplete")
    answer = client.responses.create(**ASKED)
    assert answer.incomplete_details and answer.incomplete_details.reason == "content_filter"


@pytest.mark.parametrize(("path", "asked"), [("responses", ASKED), ("chat/completions", CHAT)])
def test_a_broken_stream_is_cut_after_so_many_events(sandbox: Sandbox, path, asked):
    sandbox.fail("broken_stream", events=3)
    received = b""
    with (
        sandbox.http.stream("POST", f"/v1/{path}", json=asked | {"stream": True}) as answer,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        for chunk in answer.iter_raw():
            received += chunk
    assert answer.status_code == 200
    assert received.count(b"\n\n") == 3


def test_an_error_event_comes_inside_200_and_then_the_failed_response(sandbox: Sandbox):
    sandbox.fail("stream_error", events=2)
    text = sandbox.post("responses", ASKED | {"stream": True}).text
    names = [row.removeprefix("event: ") for row in text.splitlines() if row.startswith("event: ")]
    assert names == ["response.created", "response.in_progress", "error", "response.failed"]


def test_an_error_chunk_ends_a_chat_stream(sandbox: Sandbox, client: Client):
    sandbox.fail("stream_error", events=2)
    seen = []
    with pytest.raises(openai.APIError, match="overloaded"):
        for chunk in client.chat.completions.create(**CHAT, stream=True):
            seen.append(chunk)
    assert len(seen) == 2


def test_stream_faults_wait_for_a_stream(sandbox: Sandbox):
    sandbox.fail("broken_stream")
    assert sandbox.post("responses", ASKED).status_code == 200
    assert len(sandbox.order("GET", "faults")["faults"]) == 1


def test_an_order_can_be_for_a_path_a_method_a_model_and_a_later_request(sandbox: Sandbox):
    sandbox.fail("500", path="/models*", method="get", times=None)
    sandbox.fail("503", path="/v1/responses", model="gpt-5-mini", after=1)
    assert sandbox.get("models").status_code == 500
    assert sandbox.get("models/gpt-5").status_code == 500
    assert sandbox.get("files").status_code == 200
    asked = [sandbox.post("responses", ASKED | {"model": model}) for model in ("gpt-5", "gpt-5-mini", "gpt-5-mini")]
    assert [answer.status_code for answer in asked] == [200, 200, 503]
    sandbox.order("DELETE", "faults")
    assert sandbox.get("models").status_code == 200


def test_several_orders_come_in_turn(sandbox: Sandbox, client: Client):
    sandbox.order("POST", "faults", [{"kind": "500"}, {"kind": "rate_limit_exceeded", "retry_after_ms": 1}])
    assert sandbox.client(max_retries=2).responses.create(**ASKED).status == "completed"
    assert [row["status"] for row in sandbox.journal()] == [500, 429, 200]


def test_each_fault_is_taken_once_even_by_a_crowd(sandbox: Sandbox):
    sandbox.fail("500", times=3)
    statuses: list[int] = []
    crowd = [
        threading.Thread(target=lambda: statuses.append(sandbox.post("responses", ASKED).status_code))
        for _ in range(12)
    ]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert sorted(statuses) == [200] * 9 + [500] * 3


@pytest.mark.parametrize(
    "order",
    ["500", {"times": 1}, {"kind": "meteor"}, {"kind": "500", "often": 1}, {"kind": "500", "times": "two"}]
    + [{"kind": "500", "times": 0}, {"kind": "slow", "seconds": -1}, {"kind": "rate_limit_exceeded", "type": "moons"}]
    + [[{"kind": "500"}, {"kind": "meteor"}]],
)
def test_an_order_that_makes_no_sense_is_refused_in_a_sentence(sandbox: Sandbox, order):
    answer = sandbox.http.post("/_sandbox/faults", json=order)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith((".", "}"))
    assert sandbox.order("GET", "faults")["faults"] == []
