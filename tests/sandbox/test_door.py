"""Keys, headers, limits, checks and the journal: what every request passes."""

import re
import time

import openai
import pytest

from sandbox.limits import Window, go_duration
from sandbox.settings import Settings
from tests.sandbox.conftest import Sandbox

ASKED = {"model": "gpt-6-luna", "input": "Oak desk"}
DURATION = re.compile(r"^(\d+h)?(\d+m)?(\d+(\.\d+)?s)?$|^\d+ms$")


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("sk-sandbox-wrong", 401, "invalid_api_key"),
        ("sk-sandbox-no-credit", 429, "insufficient_quota"),
        ("sk-sandbox-rate-limited", 429, "rate_limit_exceeded"),
        ("gibberish", 401, "invalid_api_key"),
    ],
)
def test_a_key_decides_how_it_fails(sandbox: Sandbox, key, status, code):
    with sandbox.client(key) as client, pytest.raises(openai.APIStatusError) as caught:
        client.models.list()
    assert (caught.value.status_code, caught.value.code) == (status, code)


def test_a_key_without_the_models_scope_still_makes_responses(sandbox: Sandbox):
    with sandbox.client("sk-sandbox-no-models") as client:
        with pytest.raises(openai.PermissionDeniedError, match=r"Missing scopes: api\.model\.read"):
            client.models.list()
        assert client.responses.create(**ASKED).status == "completed"


def test_a_key_without_the_responses_scope_still_lists_models(sandbox: Sandbox):
    with sandbox.client("sk-sandbox-no-responses") as client:
        with pytest.raises(openai.AuthenticationError, match=r"Missing scopes: api\.responses\.write"):
            client.responses.create(**ASKED)
        assert client.models.list().data


def test_a_rate_limited_key_is_told_when_to_come_back(sandbox: Sandbox):
    answer = sandbox.http.get("/v1/models", headers={"Authorization": "Bearer sk-sandbox-rate-limited"})
    assert answer.headers["retry-after"] == "2"


def test_a_broken_key_gets_a_page_and_a_slow_one_nothing_soon(sandbox: Sandbox):
    answer = sandbox.http.get("/v1/models", headers={"Authorization": "Bearer sk-sandbox-broken"})
    assert answer.text.startswith("<!DOCTYPE html>")
    with sandbox.client("sk-sandbox-slow", timeout=0.1) as client, pytest.raises(openai.APITimeoutError):
        client.models.list()


def test_keys_are_listed_with_what_they_do(sandbox: Sandbox):
    rows = sandbox.order("GET", "keys")["keys"]
    assert len(rows) == 8
    assert all(row["behaviour"] for row in rows)


def test_without_a_bearer_there_is_no_answer_and_no_key_is_told_back(sandbox: Sandbox):
    answer = sandbox.http.get("/v1/models", headers={"Authorization": "Basic x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, None)
    assert "Missing bearer authentication" in answer.json()["error"]["message"]
    answer = sandbox.http.get("/v1/models", headers={"Authorization": "Bearer pk-very-secret-key"})
    assert "very-secret" not in answer.text


def test_a_wrong_organization_or_project_is_refused(sandbox: Sandbox):
    for options, code in (
        ({"organization": "org-wrong"}, "mismatched_organization"),
        ({"project": "proj_wrong"}, "mismatched_project"),
    ):
        with sandbox.client(**options) as client, pytest.raises(openai.AuthenticationError) as caught:
            client.models.list()
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "moon", 404), ("PUT", "responses", 405), ("POST", "responses", 400)]
)
def test_every_answer_has_the_headers_of_openai(sandbox: Sandbox, method, path, status):
    answer = sandbox.http.request(method, f"/v1/{path}", headers={"OpenAI-Organization": "org-mine"})
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["openai-version"] == "2020-10-01"
    assert answer.headers["openai-organization"] == "org-mine"
    assert int(answer.headers["openai-processing-ms"]) >= 0
    for dimension in ("requests", "tokens"):
        assert int(answer.headers[f"x-ratelimit-remaining-{dimension}"]) <= 2_000_000
        assert DURATION.match(answer.headers[f"x-ratelimit-reset-{dimension}"])


def test_a_stream_has_the_headers_too(sandbox: Sandbox):
    answer = sandbox.post("responses", ASKED | {"stream": True})
    assert answer.headers["x-ratelimit-limit-requests"] == "10000"
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_the_request_limit_holds_and_opens_again(sandbox: Sandbox):
    sandbox.set(rpm=2, window_seconds=0.4)
    answers = [sandbox.get("models") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].json()["error"]["type"] == "requests"
    time.sleep(int(answers[2].headers["retry-after-ms"]) / 1000)
    assert sandbox.get("models").status_code == 200


def test_limits_are_counted_by_project(sandbox: Sandbox):
    sandbox.set(rpm=1)
    with sandbox.client(project="proj_other") as other:
        assert sandbox.get("models").status_code == 200
        assert other.models.list().data
    assert sandbox.get("models").status_code == 429


def test_tokens_are_charged_in_advance_with_the_wanted_output(sandbox: Sandbox):
    sandbox.set(tpm=1000)
    answer = sandbox.post("responses", ASKED | {"max_output_tokens": 2000})
    assert (answer.status_code, answer.json()["error"]["type"]) == (429, "tokens")
    assert sandbox.post("responses", ASKED | {"max_output_tokens": 500}).status_code == 200
    assert sandbox.post("responses", ASKED | {"max_output_tokens": 500}).status_code == 429


def test_the_window_slides():
    now = [0.0]
    window = Window(Settings(rpm=2, tpm=100), clock=lambda: now[0])
    for now[0] in (0.0, 30.0, 60.0):
        window.admit(10, None)
    assert window.headers()["x-ratelimit-remaining-tokens"] == "80"
    assert window.wait_for_request() == 30
    now[0] = 90.0
    assert window.wait_for_tokens(95) == 30
    assert window.headers()["x-ratelimit-reset-requests"] == "30s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.012, "12ms"), (1, "1s"), (1.98, "1.98s"), (59.9996, "1m0s"), (360, "6m0s"), (3723, "1h2m3s")],
)
def test_durations_are_written_as_go_does(seconds, text):
    assert go_duration(seconds) == text


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"model": None}, "model", "missing_required_parameter"),
        ({"input": None}, "input", "missing_required_parameter"),
        ({"colour": "red"}, "colour", "unknown_parameter"),
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"stream": 1}, "stream", "invalid_type"),
        ({"max_output_tokens": True}, "max_output_tokens", "invalid_type"),
        ({"temperature": 3}, "temperature", "decimal_above_max_value"),
        ({"max_output_tokens": 1}, "max_output_tokens", "integer_below_min_value"),
        ({"truncation": "some"}, "truncation", "invalid_value"),
        ({"metadata": {"a": 1}}, "metadata.a", "invalid_type"),
        ({"metadata": {"a": "x" * 513}}, "metadata", None),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata", None),
        ({"safety_identifier": "x" * 65}, "safety_identifier", "string_above_max_length"),
        ({"input": [7]}, "input[0]", "invalid_type"),
        ({"input": [{"role": "king", "content": "x"}]}, "input[0].role", "invalid_value"),
        ({"input": [{"role": "user", "content": [{"type": "text"}]}]}, "input[0].content[0].type", "invalid_value"),
        (
            {"text": {"format": {"type": "json_schema", "name": "x"}}},
            "text.format.schema",
            "missing_required_parameter",
        ),
    ],
)
def test_a_body_is_refused_as_openai_refuses_it(sandbox: Sandbox, changes, param, code):
    answer = sandbox.post("responses", ASKED | changes)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff", b'"x"', b"[" * 100_000])
def test_what_is_not_a_json_object_is_refused(sandbox: Sandbox, body):
    assert sandbox.http.post("/v1/responses", content=body).status_code == 400


def test_a_client_request_id_is_bounded(sandbox: Sandbox):
    for bad in (b"x" * 513, "é".encode()):
        assert sandbox.http.get("/v1/models", headers={b"X-Client-Request-Id": bad}).status_code == 400


def test_the_journal_tells_what_was_seen_and_keeps_no_key(sandbox: Sandbox):
    before = time.time()
    sandbox.http.post("/v1/responses", json=ASKED, headers={"X-Client-Request-Id": "call-7"})
    sandbox.get("models/nothing")
    first, second = sandbox.journal()
    assert before <= first["arrived_at"] <= first["ended_at"] <= second["arrived_at"] <= time.time()
    told = {name: first[name] for name in ("number", "method", "path", "status", "model", "client_request_id")}
    assert told == {
        "number": 1,
        "method": "POST",
        "path": "/v1/responses",
        "status": 200,
        "model": "gpt-6-luna",
        "client_request_id": "call-7",
    }
    assert (second["number"], second["status"], second["concurrent"]) == (2, 404, 1)
    assert "sk-good" not in str([first, second])
    assert [row["number"] for row in sandbox.order("GET", "journal?after=1")["requests"]] == [2]
    assert [row["number"] for row in sandbox.order("GET", "journal?path=/v1/responses")["requests"]] == [1]
    assert sandbox.order("DELETE", "journal")["requests"] == []


def test_the_journal_counts_who_is_there_at_once(sandbox: Sandbox):
    sandbox.fail("slow", seconds=30, times=2)
    from concurrent.futures import ThreadPoolExecutor

    def ask(_: int) -> None:
        with sandbox.client(timeout=0.3) as client, pytest.raises(openai.APITimeoutError):
            client.models.list()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(ask, range(2)))
    assert [row["concurrent"] for row in sandbox.journal()] == [1, 2]


def test_latency_delays_every_answer(sandbox: Sandbox):
    sandbox.set(latency_seconds=0.1)
    assert int(sandbox.get("models").headers["openai-processing-ms"]) >= 100


@pytest.mark.parametrize("changes", [[], {"moon": 1}, {"rpm": 0}, {"rpm": 1.5}, {"latency_seconds": -1}, {"tpm": "x"}])
def test_settings_that_make_no_sense_are_refused(sandbox: Sandbox, changes):
    before = sandbox.order("GET", "settings")
    assert sandbox.http.post("/_sandbox/settings", json=changes).status_code == 400
    assert sandbox.order("GET", "settings") == before


def test_outside_v1_there_is_nothing(sandbox: Sandbox):
    for path in ("/", "/responses", "/v2/models", "/_sandbox/nothing"):
        answer = sandbox.http.get(path)
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")
