"""The pages: who may send what, what an answer shows, and what is given out under which type."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from django.template.loader import render_to_string
from django.test import Client as Browser

from logs.models import Call
from operations import costly, keeping, running
from operations.asking import Asked
from operations.models import Answer
from tests import builders as rows
from tests import people
from tests.operations.builders import HELLO, body, installation, said, send, sent

pytestmark = pytest.mark.django_db(transaction=True)
PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 40
FULL = {"openai-organization": "", "x-request-id": "req_canary", "content-type": "application/json"}


def page_of(browser: Browser, answer: Answer) -> Any:
    return browser.get(f"/operations/{answer.installation_id}/answers/{answer.pk}/")


def test_operations_begin_with_the_installations(as_viewer: Browser) -> None:
    here = installation(name="OpenAI - Here")
    page = as_viewer.get("/operations/")
    assert "OpenAI - Here" in said(page) and f"/operations/{here.pk}/raw/" in page.content.decode()


def test_a_viewer_looks_and_cannot_send(as_viewer: Browser, far: Any) -> None:
    side = far()
    here = installation()
    page = as_viewer.get(f"/operations/{here.pk}/raw/")
    assert (
        '<fieldset class="card-body form" disabled>' in page.content.decode()
        and "Send</button>" not in page.content.decode()
    )
    assert send(as_viewer, here, payload=body()).status_code == 403
    assert not side.requests


def test_an_answer_is_for_operators_of_its_installation(as_operator: Browser, far: Any) -> None:
    far()
    answer = sent(as_operator, installation(), payload=body())
    assert page_of(as_operator, answer).status_code == 200
    assert page_of(people.signed_in(people.viewer_vera()), answer).status_code == 403
    elsewhere = rows.installation(name="OpenAI - Other", webhook_key="whk_other_canary_9876543210")
    for rest in ("", "body/", "parts/0/"):
        assert as_operator.get(f"/operations/{elsewhere.pk}/answers/{answer.pk}/{rest}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/files/file-7"),
        ("DELETE", "/v1/files/file-7"),
        ("POST", "/fine_tuning/jobs"),
        ("POST", "/fine%5Ftuning/jobs"),
        ("POST", "/organization/projects"),
    ],
)
def test_what_deletes_or_costs_much_is_an_administrators_who_is_asked_by_name(
    as_operator: Browser, far: Any, method: str, path: str
) -> None:
    side = far()
    here = installation()
    ada = people.signed_in(people.administrator_ada())
    data = {} if method == "DELETE" else {"payload": "{}"}
    assert "needs the role administrator" in said(send(as_operator, here, method=method, path=path, **data))
    sure = f"{method} {path.removeprefix('/v1')}"
    page = send(ada, here, method=method, path=path, **data)
    assert f"Yes, send {sure}" in said(page) and path.rpartition("/")[2] in said(page)
    send(ada, here, method=method, path=path, sure=f"{method} /files/another", **data)
    assert not side.requests
    sent(ada, here, method=method, path=path, sure=sure, **data)
    assert len(side.requests) == 1


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/responses"), ("GET", "/fine_tuning/jobs"), ("GET", "/organization/costs")]
)
def test_what_is_usual_needs_no_question(method: str, path: str) -> None:
    assert not costly.consequence(method, path)


def test_the_answer_page_says_all_of_it(as_operator: Browser, far: Any) -> None:
    far(httpx.Response(200, json=HELLO, headers={"x-request-id": "req_canary"}))
    here = installation()
    answer = sent(as_operator, here, payload=body(), query=[("a", "1")])
    words, call = said(page_of(as_operator, answer)), Call.objects.get()
    for expected in (
        "Hello.",
        "Answered 200",
        "output",
        "x-request-id: req_canary",
        "Waited in line",
        "12",
        call.short_id,
    ):
        assert expected in words, expected
    for copied in (
        "curl 'https://api.openai.test/v1/responses?a=1'",
        "client.responses.create(",
        "POST /v1/responses?a=1 HTTP/1.1",
    ):
        assert copied in words
    assert rows.API_KEY not in words and f"/log/{call.pk}/" in page_of(as_operator, answer).content.decode()


@pytest.mark.parametrize(
    ("call", "free"),
    [
        (Call(method="POST", operation="create_speech", attempts=1, http_status=200), False),
        (Call(method="POST", operation="create_response", attempts=1, state="unknown"), False),
        (Call(method="POST", operation="create_response", attempts=1, http_status=500), False),
        (Call(method="POST", operation="create_response", attempts=1, http_status=400), True),
        (Call(method="POST", operation="create_response", attempts=0), True),
        (Call(method="POST", operation="create_moderation", attempts=1, http_status=200), True),
        (Call(method="GET", operation="list_models", attempts=1, http_status=200), True),
    ],
)
def test_a_cost_that_is_not_there_is_none_only_where_nothing_is_charged(call: Call, free: bool) -> None:
    shown = render_to_string("operations/_figures.html", {"call": call})
    assert ('<dd class="value">none</dd></div>\n</dl>' in shown) is free
    assert ("unknown" in shown.partition("Cost")[2]) is not free


def test_it_says_how_long_it_waited_and_why(as_operator: Browser, far: Any) -> None:
    far()
    here = installation(throttle_limit=1, throttle_seconds=1)
    sent(as_operator, here, payload=body())
    answer = sent(as_operator, here, payload=body())
    words = said(page_of(as_operator, answer))
    assert "All requests of the window were used up" in words


def test_a_rejected_request_says_by_what(as_operator: Browser, far: Any) -> None:
    far()
    here = installation(throttle_limit=1, throttle_seconds=60, excess="reject")
    sent(as_operator, here, payload=body())
    answer = sent(as_operator, here, payload=body())
    words = said(page_of(as_operator, answer))
    assert answer.state == "failed" and "Rejected by the throttle" in words and "PB-2001" in words


def test_a_request_without_an_answer_leads_to_what_became_of_it(as_operator: Browser, far: Any) -> None:
    far(httpx.ReadError("gone"))
    answer = sent(as_operator, installation(), payload=body())
    page = page_of(as_operator, answer)
    assert answer.error_code == "outcome_unknown" and "No answer came." in said(page)
    assert f"/log/unknown/{answer.call_id}/" in page.content.decode()


def test_pictures_are_shown_and_saved(as_operator: Browser, far: Any) -> None:
    far(httpx.Response(200, json={"data": [{"b64_json": base64.b64encode(PNG).decode()}]}))
    answer = sent(as_operator, installation(), path="/images/generations", payload='{"prompt": "x"}')
    page = page_of(as_operator, answer).content.decode()
    url = f"/operations/{answer.installation_id}/answers/{answer.pk}/parts/0/"
    assert f'<img src="{url}?show"' in page and f'href="{url}" download' in page
    shown, saved = as_operator.get(f"{url}?show"), as_operator.get(url)
    assert (shown.headers["content-type"], given(shown)) == ("image/png", PNG)
    assert (saved.headers["content-type"], given(saved)) == ("application/octet-stream", PNG)
    assert saved.headers["content-disposition"].startswith("attachment;")


def given(response: Any) -> bytes:
    """The bytes of an answer that is read as it comes."""
    from asgiref.sync import async_to_sync

    async def gather() -> bytes:
        return b"".join([piece async for piece in response.streaming_content])

    return async_to_sync(gather)()


def test_sound_can_be_heard_and_saved(as_operator: Browser, far: Any) -> None:
    far(httpx.Response(200, content=b"RIFFsound", headers={"content-type": "audio/wav"}))
    answer = sent(as_operator, installation(), path="/audio/speech", payload="{}", response_type="binary")
    page = page_of(as_operator, answer).content.decode()
    url = f"/operations/{answer.installation_id}/answers/{answer.pk}/body/"
    assert f'<audio controls preload="metadata" src="{url}?show"' in page and 'download="audio-speech.wav"' in page
    assert as_operator.get(f"{url}?show").headers["content-type"] == "audio/wav"


@pytest.mark.parametrize(
    ("asked", "status", "piece", "of"),
    [
        ("bytes=0-", 200, b"RIFFsound", None),
        ("bytes=4-", 206, b"sound", "bytes 4-8/9"),
        ("bytes=0-3", 206, b"RIFF", "bytes 0-3/9"),
        ("bytes=4-99", 206, b"sound", "bytes 4-8/9"),
        ("bytes=9-", 200, b"RIFFsound", None),
        ("bytes=5-2", 200, b"RIFFsound", None),
        ("lines=1-2", 200, b"RIFFsound", None),
    ],
)
def test_a_player_may_jump(as_operator: Browser, asked: str, status: int, piece: bytes, of: str | None) -> None:
    answer = Answer.objects.create(
        installation=installation(),
        state="done",
        asked=Asked("GET", "/x").to_json(),
        headers={"content-type": "audio/wav"},
    )
    keeping.write(keeping.path_of(answer.pk), b"RIFFsound")
    address = f"/operations/{answer.installation_id}/answers/{answer.pk}/body/?show"
    response = as_operator.get(address, headers={"Range": asked})
    assert (response.status_code, given(response), response.headers.get("content-range")) == (status, piece, of)
    assert response.headers["content-length"] == str(len(piece))


def test_a_page_of_the_far_side_is_never_given_out_as_a_page(as_operator: Browser, far: Any) -> None:
    far(httpx.Response(200, content=b"<script>1</script>", headers={"content-type": "text/html"}))
    answer = sent(as_operator, installation(), method="GET", path="/x", response_type="text")
    response = as_operator.get(f"/operations/{answer.installation_id}/answers/{answer.pk}/body/?show")
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "<script>1" not in page_of(as_operator, answer).content.decode()


def test_a_file_keeps_the_name_that_it_was_given(as_operator: Browser, far: Any) -> None:
    headers = {"content-type": "application/jsonl", "content-disposition": 'attachment; filename="../a b.jsonl"'}
    far(httpx.Response(200, content=b"{}\n", headers=headers))
    answer = sent(as_operator, installation(), method="GET", path="/files/f/content", response_type="binary")
    response = as_operator.get(f"/operations/{answer.installation_id}/answers/{answer.pk}/body/")
    assert response.headers["content-disposition"] == 'attachment; filename="a-b.jsonl"'


def test_a_request_comes_back_to_be_changed(as_operator: Browser, far: Any) -> None:
    far()
    here = installation()
    answer = sent(
        as_operator, here, payload=body(), query=[("a", "1")], header=[("X-Mine", "2")], max_retries="1", backoff="on"
    )
    page = as_operator.get(f"/operations/{here.pk}/raw/?again={answer.pk}").content.decode()
    for expected in ('value="/responses"', "&quot;gpt-6-luna&quot;", 'value="X-Mine"', 'value="a"', "checked"):
        assert expected in page, expected
    assert (
        "gpt-6-luna&quot;"
        not in people.signed_in(people.viewer_vera())
        .get(f"/operations/{here.pk}/raw/?again={answer.pk}")
        .content.decode()
    )


def test_an_answer_under_way_asks_for_itself_until_it_is_there(as_operator: Browser) -> None:
    here = installation()
    answer = Answer.objects.create(installation=here, asked=Asked("GET", "/models").to_json())
    address = f"/operations/{here.pk}/answers/{answer.pk}/?poll"
    waiting = as_operator.get(address, headers={"HX-Request": "true"})
    assert waiting.status_code == 200 and 'hx-trigger="every 1s"' in waiting.content.decode()
    answer.end_without_call("Nothing was sent.")
    assert as_operator.get(address, headers={"HX-Request": "true"}).status_code == 286


def test_the_script_gets_events_and_a_browser_without_it_a_page(as_operator: Browser, far: Any) -> None:
    far()
    here = installation()
    from tests.operations.builders import typed

    told = as_operator.post(
        f"/operations/{here.pk}/raw/send/", typed(payload=body()), headers={"Accept": running.EVENT_STREAM}
    )
    assert told.headers["content-type"] == "text/event-stream" and told.headers["cache-control"] == "no-store"
    assert send(as_operator, here, payload=body()).status_code == 302


def test_what_was_typed_is_not_lost(as_operator: Browser, far: Any) -> None:
    far()
    page = send(
        as_operator, installation(), payload="{oops", path="/responses", query=[("limit", "2")], header=[("X-Mine", "3")],
        form=[("a", "b")], timeout="77", max_retries="99",
    ).content.decode()  # fmt: skip
    for typed in ("{oops", "/responses", "limit", "X-Mine", "77", "99"):
        assert typed in page


def test_the_help_says_what_each_field_does(as_viewer: Browser) -> None:
    words = said(as_viewer.get("/operations/help/raw/"))
    for name in ("Connection", "Path", "Method", "Data", "Form data", "files", "Query parameters", "Headers", "Response type",
                 "Timeout", "Debug", "Retry delay", "Retry on all errors", "Max retry count", "exponential backoff"):  # fmt: skip
        assert name in words, name
