"""Each of the sixteen fields of the raw request does what it says. A test fails when its field is ignored."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from django.test import Client as Browser

from logs.models import Attempt, Call
from tests import builders as rows
from tests.operations.builders import HELLO, body, file, installation, said, send, sent
from tests.proxy.far import far as sockets

pytestmark = pytest.mark.django_db(transaction=True)
FAILED = httpx.Response(500, json={"error": {"message": "Broken", "type": "server_error", "param": None, "code": None}})
GATEWAY = httpx.Response(502, text="<h1>Bad gateway</h1>", headers={"content-type": "text/html"})


def test_1_connection_says_where_it_goes_and_whose_key_is_sent(as_operator: Browser, far: Any) -> None:
    side = far()
    rows.connection()
    other = rows.connection(name="Other", base_url="https://other.test/v1", api_key="sk-other-canary-77777777")
    sent(as_operator, rows.installation(connection=other), payload=body())
    assert side.request.url == "https://other.test/v1/responses"
    assert side.request.headers["authorization"] == "Bearer sk-other-canary-77777777"


def test_2_path_is_what_is_called(as_operator: Browser, far: Any) -> None:
    side = far()
    sent(as_operator, installation(), method="GET", path="/vector_stores/vs_1/files")
    assert side.request.url.path == "/v1/vector_stores/vs_1/files"


@pytest.mark.parametrize("path", ["/v1/models", "models", "v1/models", " /models "])
def test_2_path_may_be_written_as_openai_writes_it(as_operator: Browser, far: Any, path: str) -> None:
    side = far()
    sent(as_operator, installation(), method="GET", path=path)
    assert side.request.url == "https://api.openai.test/v1/models"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("https://elsewhere.test/v1/models", "full address"),
        ("//elsewhere.test/models", "full address"),
        ("/models/../../admin", "holds . or .."),
        ("/models/%2e%2e/admin", "holds . or .."),
        ("/models?limit=2", "query parameters"),
        ("/a b", "no spaces"),
        ("/models\\..\\admin", "can't be passed on"),
    ],
)
def test_2_path_leads_nowhere_else(as_operator: Browser, far: Any, path: str, why: str) -> None:
    side = far()
    page = send(as_operator, installation(), method="GET", path=path)
    assert page.status_code == 200 and why in said(page)
    assert not side.requests and not Call.objects.exists()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "HEAD", "OPTIONS"])
def test_3_method(as_operator: Browser, far: Any, method: str) -> None:
    side = far()
    sent(as_operator, installation(), method=method)
    assert side.request.method == method


def test_4_data_is_the_body(as_operator: Browser, far: Any) -> None:
    side = far()
    sent(as_operator, installation(), payload='{"model": "gpt-6-luna", "input": "Grüße", "n": 1.50}')
    assert side.request.headers["content-type"] == "application/json"
    assert side.request.content == '{"model": "gpt-6-luna", "input": "Grüße", "n": 1.5}'.encode()


def test_4_data_is_any_text_where_a_header_says_so(as_operator: Browser, far: Any) -> None:
    side = far()
    sent(as_operator, installation(), payload="v=0\r\ns=-", header=[("Content-Type", "application/sdp")])
    assert (side.request.content, side.request.headers["content-type"]) == (b"v=0\ns=-", "application/sdp")


@pytest.mark.parametrize(("data", "where"), [('{"a": 1,\n "b": }', "Line 2, character 7"), ('{"a": NaN}', "NaN")])
def test_4_data_that_is_no_json_says_where(as_operator: Browser, far: Any, data: str, where: str) -> None:
    side = far()
    page = send(as_operator, installation(), payload=data)
    assert where in said(page) and "&quot;a&quot;" in page.content.decode()  # nothing that was typed is lost
    assert not side.requests


def test_5_form_data(as_operator: Browser, far: Any) -> None:
    side = far()
    sent(as_operator, installation(), path="/files", form=[("purpose", "batch"), ("note", "two\r\nlines")])
    assert side.parts == [("purpose", None, "text/plain", b"batch"), ("note", None, "text/plain", b"two\nlines")]


def test_6_files(as_operator: Browser, far: Any) -> None:
    side = far()
    files = [
        ("image[]", file("a.png", b"\x89PNG\0a", "image/png"), ""),
        ("image[]", file("b.txt", b"b", "text/plain"), ""),
    ]
    sent(as_operator, installation(), path="/images/edits", file=files, form=[("prompt", "Both")])
    assert side.parts == [
        ("prompt", None, "text/plain", b"Both"),
        ("image[]", "a.png", "image/png", b"\x89PNG\0a"),
        ("image[]", "b.txt", "text/plain", b"b"),
    ]


def test_7_file_names(as_operator: Browser, far: Any) -> None:
    side = far()
    files = [("file", file("local.tmp"), "rows.jsonl"), ("more", file("own.jsonl"), "")]
    sent(as_operator, installation(), path="/files", file=files)
    assert [part[1] for part in side.parts] == ["rows.jsonl", "own.jsonl"]


@pytest.mark.parametrize("parts", [{"form": [("a", "1")]}, {"file": [("file", file("a.jsonl"), "")]}])
def test_data_together_with_parts_is_refused_with_the_reason(as_operator: Browser, far: Any, parts: Any) -> None:
    side = far()
    page = send(as_operator, installation(), payload="{}", **parts)
    assert "a request has one body" in said(page)
    assert not side.requests


def test_8_query_parameters(as_operator: Browser, far: Any) -> None:
    side = far()
    given = [("include[]", "a b"), ("include[]", "c&d"), ("limit", "2")]
    sent(as_operator, installation(), method="GET", path="/files", query=given)
    assert list(side.request.url.params.multi_items()) == given


def test_9_headers(as_operator: Browser, far: Any) -> None:
    side = far()
    sent(as_operator, installation(), payload=body(), header=[("OpenAI-Beta", "responses=v1"), ("X-Mine", "1")])
    assert (side.request.headers["openai-beta"], side.request.headers["x-mine"]) == ("responses=v1", "1")


@pytest.mark.parametrize(
    "name",
    ["Authorization", "authorization", "api-key", "X-API-Key", "OpenAI-Organization", "OpenAI-Project", "Host",
     "Cookie", "Content-Length", "Transfer-Encoding", "Proxy-Authorization", "X-Forwarded-Host", "X-Patchbay-Tags"],
)  # fmt: skip
def test_9_headers_cannot_override_what_is_the_connections(as_operator: Browser, far: Any, name: str) -> None:
    side = far()
    page = send(as_operator, installation(), payload=body(), header=[(name, "mine")])
    assert f"The header {name} can't be set here" in said(page)
    assert not side.requests


@pytest.mark.parametrize("pair", [("Bad name", "1"), ("X-A", "1\r\nAuthorization: Bearer x"), ("X-A", "☃")])
def test_9_headers_cannot_hide_another(as_operator: Browser, far: Any, pair: tuple[str, str]) -> None:
    side = far()
    assert send(as_operator, installation(), payload=body(), header=[pair]).status_code == 200
    assert not side.requests


@pytest.mark.parametrize(
    ("response_type", "accept", "tree", "text", "note"),
    [
        ("json", "application/json", True, "Hello.", ""),
        ("text", "text/plain, */*;q=0.5", False, '"object"', ""),
        ("binary", "application/octet-stream, */*;q=0.5", False, "", "Taken as it came"),
    ],
)
def test_10_response_type(
    as_operator: Browser, far: Any, response_type: str, accept: str, tree: bool, text: str, note: str
) -> None:
    side = far()
    answer = sent(as_operator, installation(), payload=body(), response_type=response_type)
    assert side.request.headers["accept"] == accept
    shown = answer.shown
    assert (shown["tree"] is not None, text in shown["text"], shown["note"].startswith(note)) == (tree, True, True)


def test_10_response_type_gives_way_to_a_header(as_operator: Browser, far: Any) -> None:
    side = far()
    sent(as_operator, installation(), payload=body(), header=[("Accept", "audio/mpeg")])
    assert side.request.headers["accept"] == "audio/mpeg"


def test_11_timeout(as_operator: Browser, settings: Any) -> None:
    with sockets() as side:
        side.answer = lambda link: link.hung_up(5) and None
        settings.SANDBOX_URL = side.url
        here = rows.installation(connection=rows.connection(base_url=side.url))
        answer = sent(as_operator, here, method="GET", path="/models", timeout="100")
    assert (answer.state, answer.error_code) == ("failed", "timeout") and "0.1 s" in answer.error


@pytest.mark.parametrize("timeout", ["0", "-1", "3600001", "soon", ""])
def test_11_timeout_has_bounds(as_operator: Browser, far: Any, timeout: str) -> None:
    side = far()
    assert send(as_operator, installation(), payload=body(), timeout=timeout).status_code == 200
    assert not side.requests


def test_12_debug_shows_the_exact_request_without_the_key(as_operator: Browser, far: Any) -> None:
    side = far()
    here = installation()
    answer = sent(as_operator, here, payload=body(), header=[("X-Mine", "1")], debug="on")
    head, _, written = answer.debug.partition("\n\n")
    line, *headers = head.split("\n")
    assert line == "POST https://api.openai.test/v1/responses HTTP/1.1"
    shown = dict(header.split(": ", 1) for header in headers)
    over_the_wire = {name: value for name, value in side.request.headers.items() if name != "authorization"}
    assert {name: value for name, value in shown.items() if name != "authorization"} == over_the_wire
    assert written.encode() == side.request.content
    assert rows.API_KEY not in answer.debug and "[redacted" in shown["authorization"]
    page = as_operator.get(f"/operations/{here.pk}/answers/{answer.pk}/")
    assert "Request as it was sent" in said(page) and rows.API_KEY not in page.content.decode()


def test_12_without_debug_it_is_not_kept(as_operator: Browser, far: Any) -> None:
    far()
    assert sent(as_operator, installation(), payload=body()).debug == ""


def waits() -> list[int]:
    """Milliseconds between the attempts of the only call, as the log has them."""
    return [row.retry_after_ms for row in Attempt.objects.order_by("number") if row.retry_after_ms is not None]


def test_13_retry_delay(as_operator: Browser, far: Any) -> None:
    far(FAILED, FAILED, httpx.Response(200, json=HELLO))
    sent(as_operator, installation(), payload=body(), max_retries="3", retry_delay="120")
    assert waits() == [120, 120]


def test_14_retry_on_all_errors(as_operator: Browser, far: Any) -> None:
    """A gateway's page in place of an answer: the request may succeed next time, and may have been carried out."""
    side = far(GATEWAY)
    here = installation()
    sent(as_operator, here, payload=body(), max_retries="2")
    assert len(side.requests) == 1
    sent(as_operator, here, payload=body(), max_retries="2", retry_all="on")
    assert len(side.requests) == 1 + 3


def test_14_retry_on_all_errors_never_repeats_what_cannot_succeed(as_operator: Browser, far: Any) -> None:
    side = far(httpx.Response(400, json={"error": {"message": "No", "type": "invalid_request_error", "code": None}}))
    sent(as_operator, installation(), payload=body(), max_retries="2", retry_all="on")
    assert len(side.requests) == 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_15_max_retry_count(as_operator: Browser, far: Any, count: int) -> None:
    side = far(FAILED)
    answer = sent(as_operator, installation(), payload=body(), max_retries=str(count))
    assert (len(side.requests), answer.state) == (count + 1, "failed")


def test_15_retries_send_the_files_again(as_operator: Browser, far: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.outgoing.HELD", 10)  # as if it were a large one
    side = far(FAILED, httpx.Response(200, json=HELLO))
    given = file("rows.jsonl", b'{"n": 1}\n' * 50_000)
    answer = sent(as_operator, installation(), path="/files", file=[("file", given, "")], max_retries="1")
    first, second = side.requests
    assert first.content == second.content and len(first.content) > 450_000
    assert int(second.headers["content-length"]) == len(second.content)
    assert answer.state == "done"


def test_16_exponential_backoff(as_operator: Browser, far: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It grows, and the retry delay is not used."""
    monkeypatch.setattr("openai_api.retries.random.uniform", lambda low, high: high / 50)
    far(FAILED, FAILED, FAILED, httpx.Response(200, json=HELLO))
    sent(as_operator, installation(), payload=body(), max_retries="3", retry_delay="5000", backoff="on")
    assert waits() == [10, 20, 40]
