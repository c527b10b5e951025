"""The fault table: what a far side can do wrong, one row each. What a caller of the proxy gets, what a call of our own
raises, and what stands in the log, are held side by side."""

from __future__ import annotations

import contextlib
import gzip
import ipaddress
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from connections.clients import client_for
from logs.models import Body, Call
from openai_api import errors
from openai_api.retries import RetryPolicy
from proxy.application import application
from proxy.models import Token, digest, new_token
from tests import builders
from tests.conftest import free_port, wait_until
from tests.proxy.raw import Behaviour, FarSide, Web, read_request, reset, wait_for_end
from ui import help

pytestmark = pytest.mark.django_db(transaction=True)
TIMEOUT = 0.4
BODY = {"model": "gpt-6-luna", "input": "Say hello"}
GOOD = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "gpt-6-luna",
    "output": [],
    "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
}
EVENTS = (
    b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1","object":"response"}}\n\n',
    b'event: response.completed\r\ndata: {"type":"response.completed","response":'
    + json.dumps(GOOD).encode()
    + b"}\n\n",
)


def say(*parts: bytes, then: Callable[[socket.socket], None] | None = None) -> Behaviour:
    """Read the request, answer with these bytes, then do `then` or hang up."""

    def behave(link: socket.socket) -> None:
        read_request(link)
        for part in parts:
            link.sendall(part)
        if then:
            then(link)

    return behave


def first_bytes_then(what: Callable[[socket.socket], None]) -> Behaviour:
    def behave(link: socket.socket) -> None:
        link.recv(1 << 16)
        what(link)

    return behave


def head(status: str, **headers: object) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode()


def whole(status: str, body: bytes | dict[str, Any], kind: str = "application/json", **headers: object) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return head(status, content_type=kind, content_length=len(content), **headers) + content


def chunked(*chunks: bytes, end: bool = True) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + (b"0\r\n\r\n" if end else b"")


def refusal(status: str, kind: str | None, code: str | None, message: str = "No", **headers: object) -> bytes:
    return whole(status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, **headers)


# 24 KB that unpack to 24 MB.
BOMB = whole("200 OK", gzip.compress(b"[" + bytes(24_000_000)), content_encoding="gzip")
STREAM = head("200 OK", content_type="text/event-stream", transfer_encoding="chunked")
CHUNKED = head("200 OK", content_type="application/json", transfer_encoding="chunked")
PAGE = b"<html><h1>502 Bad Gateway</h1></html>"
PASSED = "as it came"
BREAKS = "breaks off"


@dataclass(frozen=True)
class Fault:
    """`far` misbehaves. Through the proxy come `status` and `code` (our own refusal's, PASSED or BREAKS); a call of our own
    raises `raised`, or answers where that is None; both rows end as `state`."""

    name: str
    far: Behaviour
    status: int
    code: str
    raised: type[errors.CallError] | None
    state: str = "failed"
    again: str | None = None
    method: str = "POST"


PAID = errors.OutcomeUnknown
TABLE = [
    Fault("reset before the body was read", first_bytes_then(reset), 504, "outcome_unknown", PAID, "unknown", "false"),
    Fault("reset after the body was read", say(then=reset), 504, "outcome_unknown", PAID, "unknown", "false"),
    Fault("a read is reset", say(then=reset), 504, "timeout", errors.TimedOut, "failed", "true", "GET"),
    Fault("headers never come", say(then=wait_for_end), 504, "outcome_unknown", PAID, "unknown", "false"),
    Fault("headers of a read never come", say(then=wait_for_end), 504, "timeout", errors.TimedOut, again="true", method="GET"),
    Fault(
        "the body stalls",
        say(head("200 OK", content_type="application/json", content_length=500), b'{"id":', then=wait_for_end),
        504, "outcome_unknown", PAID, "unknown", "false",
    ),
    Fault("a long body stalls", say(CHUNKED + b"5\r\n{\"id\"\r\n", then=wait_for_end), 200, BREAKS, PAID, "unknown"),
    Fault("a stream stalls", say(STREAM + chunked(EVENTS[0], end=False), then=wait_for_end), 200, BREAKS, PAID, "unknown"),
    Fault(
        "JSON is cut off within its length",
        say(head("200 OK", content_type="application/json", content_length=500) + b'{"id":'),
        504, "outcome_unknown", PAID, "unknown", "false",
    ),
    Fault("JSON is cut off within its chunks", say(CHUNKED + chunked(b'{"id":', end=False)), 200, BREAKS, PAID, "unknown"),
    Fault("JSON ends too soon", say(whole("200 OK", b'{"id": "resp_')), 200, PASSED, errors.NotOpenAI),
    Fault("JSON in chunks ends too soon", say(CHUNKED + chunked(b'{"id": "resp_')), 200, PASSED, errors.NotOpenAI),
    Fault("a stream is cut off", say(STREAM + chunked(EVENTS[0], end=False)), 200, BREAKS, PAID, "unknown"),
    Fault("wrong content type", say(whole("200 OK", PAGE, "text/html")), 200, PASSED, errors.NotOpenAI),
    Fault("bad UTF-8", say(whole("200 OK", b'{"id": "\xff\xfe"}')), 200, PASSED, errors.NotOpenAI),
    Fault("a gzip bomb", say(BOMB), 502, "answer_too_large", errors.AnswerTooLarge, again="false"),
    Fault(
        "an error of a gigabyte",
        say(head("500 Oops", content_type="application/json", content_length=1 << 30) + bytes(2_000_000), then=wait_for_end),
        502, "answer_too_large", errors.AnswerTooLarge, again="false",
    ),
    Fault(
        "429 of requests",
        say(refusal("429 Slow", "requests", "rate_limit_exceeded", retry_after="7")),
        429, PASSED, errors.RateLimited,
    ),
    Fault("429 of tokens", say(refusal("429 Slow", "tokens", "rate_limit_exceeded")), 429, PASSED, errors.RateLimited),
    Fault(
        "429 without credit",
        say(refusal("429 Broke", "insufficient_quota", "insufficient_quota")),
        429, PASSED, errors.NoCredit, again="false",
    ),
    Fault("429 without a word", say(whole("429 Slow", b"", "text/plain")), 429, PASSED, errors.NotOpenAI),
    Fault("500", say(refusal("500 Oops", "server_error", None)), 500, PASSED, errors.ServerFailed),
    Fault("502 of a gateway", say(whole("502 Bad Gateway", PAGE, "text/html")), 502, PASSED, errors.NotOpenAI),
    Fault("503 slow down", say(refusal("503 No", None, "slow_down", "Slow Down")), 503, PASSED, errors.ServerFailed),
    Fault("504 of a gateway", say(whole("504 Gateway", PAGE, "text/html")), 504, PASSED, errors.NotOpenAI),
    Fault(
        "a redirect",
        say(whole("307 Elsewhere", b"", location="http://169.254.169.254/")),
        502, "redirect_refused", errors.Redirected, again="false",
    ),
    Fault("garbage", say(b"SSH-2.0-OpenSSH\r\n"), 504, "outcome_unknown", PAID, "unknown", "false"),
    *(
        Fault(
            f"429 {code}",
            say(refusal("429 Broke", "insufficient_quota", code)), 429, PASSED, errors.NoCredit, again="false",
        )
        for code in (
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
            "billing_not_active",
        )
    ),
    Fault("429 of a resource", say(refusal("429 Busy", None, "resource_unavailable")), 429, PASSED, errors.RateLimited),
    # What looks wrong and is not.
    Fault("100 before the answer", say(head("100 Continue") + whole("200 OK", GOOD)), 200, PASSED, None, "done"),
    Fault(
        "HTTP/1.0 that ends with its connection",
        say(b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + json.dumps(GOOD).encode()),
        200, PASSED, None, "done",
    ),
    Fault(
        "gzip that was not asked for",
        say(whole("200 OK", gzip.compress(json.dumps(GOOD).encode()), content_encoding="gzip")), 200, PASSED, None, "done",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    made = Web(application)
    yield made
    made.stop()


class Way:
    """An installation at a far side, to be called in both ways."""

    def __init__(self, web: Web, url: str) -> None:
        self.url = url
        row = builders.connection(name=url, base_url=url)
        self.installation = builders.installation(connection=row, name=url, webhook_key=url)
        self.token = new_token()
        token = Token.objects.create(name="The shop", digest=digest(self.token), last4=self.token[-4:])
        token.installations.add(self.installation)
        headers = {"authorization": f"Bearer {self.token}", "x-patchbay-timeout": str(TIMEOUT)}
        base = f"{web.address}/proxy/{self.installation.pk}/v1"
        self.program = httpx.Client(base_url=base, headers=headers, timeout=20, trust_env=False)

    def forwarded(self, method: str = "POST") -> httpx.Response:
        return self.program.request(method, "/responses", json=BODY if method == "POST" else None)

    def call(self, method: str = "POST") -> object:
        operation, rest = ("create_response", {"json": BODY}) if method == "POST" else ("list_models", {})
        asked = {"context": builders.context(), "retries": RetryPolicy(count=0), "timeout": TIMEOUT, **rest}
        return client_for(self.installation).call(operation, **asked)

    def close(self) -> None:
        self.program.close()


@pytest.fixture
def way(web: Web, settings: Any) -> Iterator[Callable[[Behaviour | str], Way]]:
    """`way(behaviour)` or `way(url)` gives an installation there."""
    settings.ALLOW_PRIVATE_ADDRESSES = (ipaddress.ip_network("127.0.0.0/8"),)
    opened: list[Any] = []

    def make(far: Behaviour | str) -> Way:
        if not isinstance(far, str):
            opened.append(FarSide(far))
            far = opened[-1].url
        opened.append(Way(web, far))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def ended(**expected: object) -> Call:
    """The newest row, once it has ended."""

    def found() -> Call | None:
        call = Call.objects.order_by("-id").first()
        return call if call and call.state not in ("queued", "sending", "retrying") else None

    call = wait_until(found)
    assert isinstance(call, Call)
    assert {name: getattr(call, name) for name in expected} == expected
    return call


@pytest.mark.parametrize("fault", TABLE, ids=lambda fault: fault.name)
def test_a_fault(way, fault):
    through_the_proxy(way(fault.far), fault)
    by_a_call_of_our_own(way(fault.far), fault)


def through_the_proxy(through: Way, fault: Fault) -> None:
    if fault.code == BREAKS:
        with pytest.raises(httpx.RemoteProtocolError):
            through.forwarded(fault.method)
        ended(state=fault.state, http_status=fault.status)
        return
    answer = through.forwarded(fault.method)
    assert answer.status_code == fault.status, answer.text[:300]
    assert answer.headers["x-patchbay-call-id"] == str(ended(state=fault.state).pk)
    assert answer.headers.get("x-should-retry") == fault.again
    if fault.code != PASSED:
        error = answer.json()["error"]
        assert error["code"] == fault.code and error["message"].endswith(".")
        assert set(error) == {"message", "type", "param", "code"} and "location" not in answer.headers


def by_a_call_of_our_own(through: Way, fault: Fault) -> None:
    if fault.raised is None:
        through.call(fault.method)
        ended(state="done", total_tokens=15)
        return
    with pytest.raises(errors.CallError) as caught:
        through.call(fault.method)
    assert type(caught.value) is fault.raised, caught.value.sentence
    assert caught.value.sentence.endswith(".")
    ended(state=fault.state, error_code=caught.value.code, error_message=caught.value.sentence)


def no_tls(link: socket.socket) -> None:
    link.recv(1)
    link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize(
    ("url", "far", "code", "raised"),
    [
        ("http://127.0.0.1:{closed}/v1", wait_for_end, "connection_refused", errors.ConnectionRefused),
        ("https://nowhere.invalid/v1", wait_for_end, "no_such_host", errors.NoSuchHost),
        ("https://127.0.0.1:{far}/v1", no_tls, "tls_failed", errors.TlsFailed),
        ("https://127.0.0.1:{far}/v1", wait_for_end, "connect_timeout", errors.ConnectTimedOut),
    ],
    ids=["refused", "no such host", "no TLS", "a handshake that stalls"],
)
def test_a_far_side_that_is_never_reached_has_seen_nothing(way, url, far, code, raised):
    side = way(far)
    through = way(url.format(closed=free_port(), far=httpx.URL(side.url).port))
    answer = through.forwarded()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, code)
    assert answer.headers["x-should-retry"] == "false"
    ended(state="failed", error_code=code, http_status=None)
    with pytest.raises(raised):
        through.call()


def test_an_answer_that_is_broken_off_on_purpose_is_no_error_of_the_program(way, caplog):
    with pytest.raises(httpx.RemoteProtocolError):
        way(say(STREAM + chunked(EVENTS[0], end=False))).forwarded()
    ended(state="unknown")
    said = [(record.levelname, record.getMessage()) for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == [("WARNING", "An answer broke off: outcome_unknown")]


def test_an_answer_without_an_end_that_nobody_meant_is_one(caplog):
    logging.getLogger("uvicorn.error").error("ASGI callable returned without completing response.")
    assert "without completing response" in caplog.text


def test_a_stream_passes_byte_for_byte_as_it_comes(way):
    odd = b": a comment\n\nevent: odd\r\ndata: \xff\xfe\r\n\r\n"
    through = way(
        say(
            STREAM, *(chunked(part, end=False) for part in (EVENTS[0][:7], EVENTS[0][7:], odd, EVENTS[1])), b"0\r\n\r\n"
        )
    )
    answer = through.forwarded()
    assert answer.content == EVENTS[0] + odd + EVENTS[1]
    assert ended(state="done").total_tokens == 15


@pytest.mark.parametrize("packing", ["br", "zstd"])
def test_a_packing_that_patchbay_does_not_know_is_left_and_named(way, packing):
    through = way(say(whole("200 OK", b"packed", content_encoding=packing)))
    with through.program.stream("POST", "/responses", json=BODY) as answer:
        assert b"".join(answer.iter_raw()) == b"packed" and answer.headers["content-encoding"] == packing
    ended(http_status=200)


def test_a_stream_that_ends_before_its_last_event_is_not_known_to_be_done(way):
    through = way(say(STREAM + chunked(EVENTS[0])))
    assert through.forwarded().content == EVENTS[0]
    ended(state="unknown", error_code="outcome_unknown")


def test_a_body_of_a_gigabyte_passes_piece_by_piece_and_no_further_than_it_is_wanted(way):
    huge = head("200 OK", content_type="application/octet-stream", content_length=1 << 30)
    through = way(say(huge, then=lambda link: [link.sendall(bytes(1 << 16)) for _ in range(1 << 14)]))
    with through.program.stream("GET", "/files/file-1/content") as answer:
        assert answer.headers["content-length"] == str(1 << 30)
        next(answer.iter_raw())
    ended(state="cancelled", error_code="client_left")
    with pytest.raises(errors.AnswerTooLarge):
        through.call()


# Bodies that are passed on as they come

LARGE = 4 * 1024 * 1024


def begin_upload(through: Way, web: Web, announced: int = LARGE) -> socket.socket:
    """A caller in the middle of a large body."""
    link = socket.create_connection(("127.0.0.1", httpx.URL(web.address).port or 0), timeout=20)
    lines = (
        f"POST /proxy/{through.installation.pk}/v1/files HTTP/1.1",
        f"host: {web.address}",
        f"authorization: Bearer {through.token}",
        "content-type: application/octet-stream",
        f"content-length: {announced}",
    )
    link.sendall("\r\n".join([*lines, "", ""]).encode() + bytes(2 * 1024 * 1024))
    return link


def test_a_large_body_arrives_the_same_with_a_length_and_in_pieces(way):
    seen: list[bytes] = []

    def behave(link: socket.socket) -> None:
        seen.append(read_request(link))
        link.sendall(whole("200 OK", GOOD))

    content = bytes(range(256)) * (LARGE // 256)
    through = way(behave)
    assert through.program.post("/files", content=content).status_code == 200
    assert through.program.post(
        "/files", content=(content[at : at + 99_999] for at in range(0, LARGE, 99_999))
    ).is_success
    (told, body), (chunked_head, pieces) = (one.split(b"\r\n\r\n", 1) for one in seen)
    assert body == content and f"content-length: {LARGE}".encode() in told.lower()
    assert b"transfer-encoding: chunked" in chunked_head.lower() and len(pieces) > LARGE
    assert f"{LARGE} bytes, passed on" in Body.objects.filter(attempt=0).order_by("call_id")[0].text


def test_a_far_side_that_resets_in_the_middle_of_a_body_has_carried_out_nothing(way):
    through = way(first_bytes_then(reset))
    answer = through.program.post("/files", content=bytes(8 * LARGE))
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "body_cut_off")
    assert answer.headers["x-should-retry"] == "true"
    ended(state="failed", error_code="body_cut_off", help_code=help.BODY_CUT_OFF)


def test_a_refusal_in_the_middle_of_a_body_arrives(way):
    too_large = refusal("413 Large", "invalid_request_error", None, "Too large", connection="close")
    through = way(first_bytes_then(lambda link: (link.sendall(too_large), wait_for_end(link))))
    with contextlib.suppress(httpx.WriteError):
        assert through.program.post("/files", content=bytes(8 * LARGE)).status_code == 413
    ended(state="failed", http_status=413)


def test_a_caller_who_leaves_in_the_middle_of_its_body_has_not_asked_for_anything(way, web):
    gone = threading.Event()
    through = way(first_bytes_then(lambda link: (wait_for_end(link), gone.set())))
    begin_upload(through, web).close()
    ended(state="cancelled", error_code="client_left")
    assert gone.wait(30)


def test_a_caller_who_leaves_after_its_large_body_leaves_the_outcome_unknown(way, web):
    came, gone = threading.Event(), threading.Event()
    through = way(say(then=lambda link: (came.set(), wait_for_end(link), gone.set())))
    link = begin_upload(through, web)
    link.sendall(bytes(LARGE - 2 * 1024 * 1024))
    assert came.wait(30)
    link.close()
    ended(state="unknown", error_code="client_left")
    assert gone.wait(30)


# Callers of other times


@pytest.mark.parametrize(
    ("version", "expecting"),
    [("HTTP/1.0", ""), ("HTTP/1.1", ""), ("HTTP/1.1", "expect: 100-continue\r\n")],
    ids=["HTTP/1.0", "HTTP/1.1", "waiting for 100"],
)
def test_callers_that_speak_http_1_0_or_wait_for_100_are_served(way, web, version, expecting):
    through = way(say(whole("200 OK", GOOD)))
    body = json.dumps(BODY).encode()
    start = (
        f"POST /proxy/{through.installation.pk}/v1/responses {version}\r\nhost: x\r\nconnection: close\r\n{expecting}"
        f"authorization: Bearer {through.token}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", httpx.URL(web.address).port or 0), timeout=5) as link:
        link.sendall(start.encode())
        if expecting:
            assert link.recv(100).startswith(b"HTTP/1.1 100")
        link.sendall(body)
        said = b"".join(iter(lambda: link.recv(1 << 16), b""))
    assert b" 200 " in said.partition(b"\r\n")[0] and said.endswith(json.dumps(GOOD).encode())
    ended(state="done", total_tokens=15)
