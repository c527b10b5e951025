"""The proxy between a caller and the far side: what passes as it is, what is refused, and what the log says of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from logs.models import Attempt, Body, Call
from openai_api import loop
from proxy import hangups
from proxy.application import HELD, application
from proxy.hangups import HangUps
from tests import builders
from tests.conftest import FarSide, wait_until
from tests.proxy.builders import ask, scope, token

pytestmark = pytest.mark.django_db(transaction=True)
RESPONSE = {"id": "resp_1", "object": "response", "status": "completed", "model": "gpt-6-luna", "output": []}
SAY_HELLO = json.dumps({"model": "gpt-6-luna", "input": "Say hello"}).encode()
JSON = {"content_type": "application/json"}
Install = Callable[[FarSide], None]


@pytest.fixture
def secret() -> str:
    """A token for installation “OpenAI - Test”."""
    return token()


def place(path: str) -> str:
    """Its address, by the name of the installation."""
    return f"/proxy/OpenAI%20-%20Test/v1{path}"


def ended() -> Call:
    """The only call, once its end is written; the caller does not wait for that."""
    wait_until(lambda: Call.objects.get().state_info.final)
    return Call.objects.get()


def error(status: int, code: str | None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    told = {"message": "No.", "type": "invalid_request_error", "param": None, "code": code}
    return httpx.Response(status, json={"error": told}, headers=named)


def test_requests_alike_are_calls_of_their_own(far_side: Install, secret: str) -> None:
    """What their headers come to is read once; ids and stories are made for each."""
    seen: list[str] = []
    far_side(lambda request: seen.append(request.headers["x-client-request-id"]) or httpx.Response(200, json=RESPONSE))  # type: ignore[func-returns-value]
    for _ in range(3):
        ask("POST", place("/responses"), secret, SAY_HELLO, **JSON)
    wait_until(lambda: Call.objects.filter(state="done").count() == 3)
    calls = Call.objects.order_by("created_at", "id")
    assert [str(call.id) for call in calls] == seen
    assert len({call.correlation_id for call in calls}) == 3 and all(call.correlation_id for call in calls)
    logged = Body.objects.filter(attempt=0).values_list("call_id", "headers")
    assert {str(call_id): headers["x-client-request-id"] for call_id, headers in logged} == {one: one for one in seen}


def test_a_request_arrives_as_it_was_but_for_the_key(far_side: Install, secret: str) -> None:
    seen: list[httpx.Request] = []
    far_side(lambda request: seen.append(request) or httpx.Response(200, json=RESPONSE))  # type: ignore[func-returns-value]
    ask("POST", place("/responses?include=a&include=b%20c"), secret, SAY_HELLO, openai_beta="x=1", cookie="a=b", **JSON)
    (request,) = seen
    assert (request.method, str(request.url)) == (
        "POST",
        "https://api.openai.test/v1/responses?include=a&include=b%20c",
    )
    assert (request.content, request.headers["openai-beta"]) == (SAY_HELLO, "x=1")
    assert request.headers.get_list("authorization") == [f"Bearer {builders.API_KEY}"]
    assert request.headers["x-client-request-id"] == str(Call.objects.get().pk)
    assert "cookie" not in request.headers and secret not in str(request.headers.raw)


def test_the_answer_comes_back_as_it_was(far_side: Install, secret: str) -> None:
    headers = {"x-request-id": "req_7", "x-ratelimit-remaining-tokens": "9", "openai-version": "2020-10-01"}
    body = b'{"id": "resp_1",  "odd":\t"spacing \\u00e9"}'
    far_side(lambda request: httpx.Response(201, content=body, headers={"content-type": "application/json", **headers}))
    got = ask("POST", place("/responses"), secret, SAY_HELLO, **JSON)
    assert (got.status, got.body, got.ended) == (201, body, True)
    assert headers.items() <= got.headers.items()
    assert got.headers["content-length"] == str(len(body))
    assert got.headers["x-patchbay-call-id"] == str(Call.objects.get().pk)


def test_the_log_names_the_token_its_tags_and_the_story(far_side: Install, secret: str) -> None:
    far_side(lambda request: httpx.Response(200, json=RESPONSE))
    options = {"x_patchbay_tags": "nightly,shop-2", "x_patchbay_correlation_id": "order-7"}
    ask("POST", place("/responses"), secret, SAY_HELLO, **JSON, **options)
    call = ended()
    assert (call.state, call.operation, call.path, call.model) == (
        "done",
        "create_response",
        "/responses",
        "gpt-6-luna",
    )
    assert (call.cause, call.cause_label, call.tags, call.correlation_id) == (
        "proxy",
        "Shop",
        "nightly, shop-2",
        "order-7",
    )
    assert call.installation_name == "OpenAI - Test"
    assert "Say hello" in Body.objects.get(attempt=0).text


def test_the_row_stands_before_the_request_leaves(far_side: Install, secret: str) -> None:
    seen: list[str] = []
    far_side(lambda request: seen.append(Call.objects.get().state) or httpx.Response(200, json=RESPONSE))  # type: ignore[func-returns-value]
    ask("POST", place("/responses"), secret, SAY_HELLO, **JSON)
    assert seen == ["sending"]


def test_no_token_and_no_key_stands_in_a_row(far_side: Install, secret: str) -> None:
    far_side(lambda request: httpx.Response(200, json={**RESPONSE, "echo": request.headers["authorization"]}))
    ask("POST", place("/responses"), secret, SAY_HELLO + secret.encode(), x_other=secret, **JSON)
    assert ended().state == "done"
    rows = str([*Call.objects.values(), *Attempt.objects.values(), *Body.objects.values()])
    assert secret not in rows and builders.API_KEY not in rows


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "OPTIONS", "POST"])
def test_what_nobody_knows_yet_is_passed_on_too(far_side: Install, secret: str, method: str) -> None:
    far_side(
        lambda request: httpx.Response(200, json={"path": request.url.raw_path.decode(), "method": request.method})
    )
    got = ask(method, place("/brand/new%2Fthing?x=1"), secret)
    assert json.loads(got.body) == {"path": "/v1/brand/new%2Fthing?x=1", "method": method}
    assert Call.objects.get().path == "/brand/new%2Fthing"


def test_head_has_headers_and_no_body(far_side: Install, secret: str) -> None:
    far_side(lambda request: httpx.Response(200, headers={"content-length": "1234", "x-request-id": "req_1"}))
    got = ask("HEAD", place("/files/file-1/content"), secret)
    assert (got.status, got.body, got.headers["x-request-id"]) == (200, b"", "req_1")
    assert got.headers["content-length"] == "1234"
    assert ended().state == "done"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_an_error_of_openais_passes_as_it_is(far_side: Install, secret: str, status: int) -> None:
    answer = error(status, "some_code", retry_after_ms="20", x_should_retry="true", x_request_id="req_9")
    far_side(lambda request: answer)
    got = ask("POST", place("/responses"), secret, SAY_HELLO, **JSON)
    assert (got.status, got.body) == (status, answer.content)
    assert (got.headers["retry-after-ms"], got.headers["x-should-retry"]) == ("20", "true")
    assert (ended().state, ended().error_code) == ("failed", "some_code")


@pytest.mark.parametrize(("code", "again"), [("insufficient_quota", "false"), ("rate_limit_exceeded", None)])
def test_a_429_that_no_repetition_helps_says_so_where_openai_does_not(
    far_side: Install, secret: str, code: str, again: str | None
) -> None:
    far_side(lambda request: error(429, code))
    got = ask("POST", place("/responses"), secret, SAY_HELLO, **JSON)
    assert (got.status, got.error["code"], got.headers.get("x-should-retry")) == (429, code, again)


def test_what_openai_says_of_trying_again_stands_above_what_patchbay_thinks(far_side: Install, secret: str) -> None:
    far_side(lambda request: error(429, "insufficient_quota", x_should_retry="true"))
    got = ask("POST", place("/responses"), secret, SAY_HELLO, **JSON)
    assert got.headers["x-should-retry"] == "true"


def test_an_error_that_repeats_the_key_does_not_give_it_away(far_side: Install, secret: str) -> None:
    """A caller holds a token in place of the key; a far side that quotes what it refuses must not hand the key over."""
    told = {"message": f"Incorrect API key provided: {builders.API_KEY}.", "type": "x", "param": None, "code": "y"}
    far_side(lambda request: httpx.Response(401, json={"error": told}, headers={"x-echo": builders.API_KEY}))
    got = ask("POST", place("/responses"), secret, SAY_HELLO, **JSON)
    assert got.status == 401 and got.error["code"] == "y"
    assert builders.API_KEY not in got.body.decode() + str(got.headers)
    assert got.headers["content-length"] == str(len(got.body))


def test_a_redirect_is_not_followed_and_not_handed_on(far_side: Install, secret: str) -> None:
    far_side(lambda request: httpx.Response(307, headers={"location": "https://elsewhere.test/v1"}))
    got = ask("POST", place("/responses"), secret, SAY_HELLO, **JSON)
    assert (got.status, got.error["code"]) == (502, "redirect_refused")
    assert "location" not in got.headers and Attempt.objects.count() == 1


def test_a_lost_answer_is_said_and_not_repeated(far_side: Install, secret: str) -> None:
    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone")

    far_side(cut)
    got = ask("POST", place("/responses"), secret, SAY_HELLO, x_patchbay_retries="3", x_patchbay_retry_on="all", **JSON)
    assert (got.status, got.error["code"], got.headers["x-should-retry"]) == (504, "outcome_unknown", "false")
    assert (ended().state, Attempt.objects.count()) == ("unknown", 1)


def test_over_the_limit_it_is_refused_as_openai_refuses(far_side: Install) -> None:
    far_side(lambda request: httpx.Response(200, json={"object": "list", "data": []}))
    secret = token(builders.installation(throttle_limit=1, throttle_seconds=30, excess="reject"))
    first, second = ask("GET", place("/models"), secret), ask("GET", place("/models"), secret)
    assert (first.status, second.status, second.error["code"]) == (200, 429, "throttle_rejected")
    assert 25 <= int(second.headers["retry-after"]) <= 31 and second.headers["x-should-retry"] == "true"
    assert sorted(Call.objects.values_list("state", flat=True)) == ["done", "rejected"]


def test_it_is_tried_again_only_as_the_header_asks(far_side: Install, secret: str) -> None:
    def ask_with(**options: str) -> tuple[int, int]:
        answers = [error(503, "server_is_overloaded", retry_after_ms="10")] * 2 + [httpx.Response(200, json=RESPONSE)]
        far_side(lambda request: answers.pop(0))
        got = ask("POST", place("/responses"), secret, SAY_HELLO, **JSON, **options)
        return got.status, Call.objects.order_by("-created_at").values_list("attempts", flat=True)[0]

    assert ask_with() == (503, 1)
    assert ask_with(x_patchbay_retries="2") == (200, 3)
    assert ask_with(x_patchbay_retries="2", x_patchbay_retry_on="429") == (503, 1)
    assert ask_with(x_patchbay_retries="1", x_patchbay_retry_on="5xx") == (503, 2)


def test_between_tries_it_waits_as_the_installation_says(far_side: Install) -> None:
    secret = token(builders.installation(retry_wait="fixed", retry_delay=0.02, retry_cap=0.02))
    far_side(lambda request: error(503, "server_error"))
    ask("POST", place("/responses"), secret, SAY_HELLO, x_patchbay_retries="1", **JSON)
    assert Attempt.objects.get(number=1).retry_after_ms == 20


@pytest.mark.parametrize(
    ("method", "target", "headers", "status", "code"),
    [
        ("GET", "/models/../admin", {}, 400, "bad_request"),
        ("GET", "/models/%2e%2e/admin", {}, 400, "bad_request"),
        ("GET", "//elsewhere.test/v1", {}, 400, "bad_request"),
        ("GET", "/https://elsewhere.test/", {}, 400, "bad_request"),
        ("GET", "", {}, 400, "bad_request"),
        ("GET", "/models", {"api_key": "sk-mine"}, 400, "bad_request"),
        ("GET", "/models", {"openai_organization": "org-other"}, 400, "bad_request"),
        ("GET", "/models", {"x_patchbay_retries": "many"}, 400, "bad_request"),
        ("GET", "/models", {"x_patchbay_nothing": "1"}, 400, "bad_request"),
        ("TRACE", "/models", {}, 405, "method_not_allowed"),
        ("CONNECT", "/models", {}, 405, "method_not_allowed"),
    ],
)
def test_what_cannot_be_passed_on_is_refused_and_goes_nowhere(
    far_side: Install, secret: str, method: str, target: str, headers: dict[str, str], status: int, code: str
) -> None:
    far_side(lambda request: pytest.fail("sent"))
    got = ask(method, place(target), secret, **headers)
    assert (got.status, got.error["code"], got.headers["x-should-retry"]) == (status, code, "false")
    assert got.error["message"].endswith(".") and not Call.objects.exists()


@pytest.mark.parametrize(
    "target", ["/proxy/", "/proxy/1", "/proxy/1/v2/models", "/proxy//v1/models", "/proxy/a/b/v1/models"]
)
def test_another_address_is_not_there(target: str, secret: str) -> None:
    assert (ask("GET", target, secret).status, Call.objects.exists()) == (404, False)


@pytest.mark.parametrize("scheme", ["Basic {}", "bearer{}", "{}", "Bearer  "])
def test_only_a_bearer_token_counts(scheme: str, secret: str) -> None:
    got = ask("GET", place("/models"), authorization=scheme.format(secret))
    assert (got.status, got.error["code"]) == (401, "invalid_api_key")


def test_when_tokens_cannot_be_read_it_says_to_come_back(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(installation: str, token: str) -> None:
        raise OSError("disk")

    monkeypatch.setattr("proxy.application.door", broken)
    got = ask("GET", place("/models"), secret)
    assert (got.status, got.headers["x-should-retry"], got.headers["retry-after"]) == (503, "true", "1")


def test_a_websocket_is_closed() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    loop.run(application({"type": "websocket"}, send, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close"}]


def test_a_body_in_parts_is_put_together(far_side: Install, secret: str) -> None:
    seen: list[bytes] = []
    far_side(lambda request: seen.append(request.content) or httpx.Response(200, json=RESPONSE))  # type: ignore[func-returns-value]
    ask("POST", place("/responses"), secret, [SAY_HELLO[:5], b"", SAY_HELLO[5:]], **JSON)
    assert seen == [SAY_HELLO]
    assert Call.objects.get().model == "gpt-6-luna"


@pytest.mark.parametrize("announced", [True, False])
def test_a_large_body_is_passed_on_as_it_comes_and_described(far_side: Install, secret: str, announced: bool) -> None:
    seen: list[tuple[bytes, str | None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.content, request.headers.get("content-length")))
        return httpx.Response(200, json={"id": "file-1", "object": "file"})

    far_side(answer)
    parts = [bytes([number]) * 300_000 for number in range(6)]
    size = {"content_length": str(HELD + 751_424)} if announced else {}
    got = ask("POST", place("/files"), secret, parts, content_type="multipart/form-data; boundary=x", **size)
    assert (got.status, seen[0][0]) == (200, b"".join(parts))
    assert seen[0][1] == ("1800000" if announced else None)
    said = Body.objects.get(attempt=0)
    assert "passed on as they came" in said.text and said.truncated
    assert said.size == (1_800_000 if announced else 0)


class Slowly(httpx.AsyncByteStream):
    """A body that comes piece by piece; `closed` tells that we hung up on it."""

    def __init__(self, *pieces: bytes, hang: bool = False) -> None:
        self.pieces, self.hang, self.closed = pieces, hang, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.hang:
            await asyncio.Event().wait()

    async def aclose(self) -> None:
        self.closed = True


CREATED = b'data: {"type":"response.created","response":{"id":"resp_9","object":"response"}}\n\n'
DONE = b'data: {"type":"response.completed","response":' + json.dumps(RESPONSE).encode() + b"}\n\n"
EVENTS = {"content-type": "text/event-stream; charset=utf-8"}


class Caller:
    """A caller that may hang up."""

    def __init__(self, path: str, secret: str, body: bytes = SAY_HELLO) -> None:
        self.sent: list[dict[str, Any]] = []
        named = [("authorization", f"Bearer {secret}"), ("content-type", "application/json")]
        self.hang_ups, self.body = HangUps(), [body]
        self.scope = {**scope("POST", place(path), named), "extensions": {hangups.EXTENSION: self.hang_ups}}

    async def run(self, leave_when: Callable[[], bool]) -> None:
        """Ask, and hang up as soon as `leave_when` is true."""

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": self.body.pop(), "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        async def leave() -> None:
            while not leave_when():
                await asyncio.sleep(0.005)
            self.hang_ups.tell()

        leaving = asyncio.ensure_future(leave())
        async with asyncio.timeout(10):
            await application(self.scope, receive, send)
        leaving.cancel()


def test_a_stream_passes_chunk_by_chunk(far_side: Install, secret: str) -> None:
    far_side(lambda request: httpx.Response(200, stream=Slowly(CREATED, DONE[:20], DONE[20:]), headers=EVENTS))
    caller = Caller("/responses", secret)
    loop.run(caller.run(lambda: False))
    assert [message.get("body") for message in caller.sent[1:]] == [CREATED, DONE[:20], DONE[20:], b""]
    assert (ended().state, ended().object_id) == ("done", "resp_1")


def test_a_caller_who_leaves_in_mid_stream_closes_openais_side_at_once(far_side: Install, secret: str) -> None:
    body = Slowly(CREATED, hang=True)
    far_side(lambda request: httpx.Response(200, stream=body, headers=EVENTS))
    caller = Caller("/responses", secret)
    loop.run(caller.run(lambda: len(caller.sent) == 2))
    assert body.closed
    call = ended()
    assert (call.state, call.error_code, call.object_id) == ("cancelled", "client_left", "resp_9")
    assert "resp_9" in Body.objects.get(attempt=1).text


def test_a_caller_who_left_before_the_call_was_made_is_noticed_too(far_side: Install, secret: str) -> None:
    far_side(lambda request: httpx.Response(200, json=RESPONSE))
    caller = Caller("/responses", secret)
    caller.hang_ups.tell()
    loop.run(caller.run(lambda: False))
    assert caller.sent == []
    assert ended().error_code == "client_left"


def test_a_stream_that_breaks_off_has_no_end(far_side: Install, secret: str) -> None:
    class Broken(Slowly):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield CREATED
            raise httpx.ReadError("gone")

    far_side(lambda request: httpx.Response(200, stream=Broken(), headers=EVENTS))
    got = ask("POST", place("/responses"), secret, SAY_HELLO, **JSON)
    assert (got.body, got.ended) == (CREATED, False)
    assert ended().state == "unknown"


def test_a_caller_who_leaves_the_line_takes_nothing(far_side: Install) -> None:
    far_side(lambda request: httpx.Response(200, json=RESPONSE))
    secret = token(builders.installation(throttle_limit=1, throttle_seconds=30))
    assert ask("POST", place("/responses"), secret, SAY_HELLO, **JSON).status == 200
    caller = Caller("/responses", secret)
    loop.run(caller.run(lambda: Call.objects.filter(state="queued").exists()))
    assert not caller.sent
    wait_until(lambda: Call.objects.filter(state="cancelled").exists())
    assert Attempt.objects.count() == 1
