"""The page of one call."""

import uuid

import pytest

from logs.models import Call
from logs.states import CALL_STATES
from tests.logs.builders import USAGE, answered, body, call

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def page(browser, row, **query):
    answer = browser.get(f"/log/{row.pk}/", query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("state", CALL_STATES)
@pytest.mark.parametrize("attempts", [0, 1, 2])
def test_every_state_has_its_page(as_viewer, state, attempts):
    row = call(state=state, attempts=attempts, http_status=None)
    for number in range(1, attempts + 1):
        answered(row, number, state="failed", retry_reason="server_failed")
    html = page(as_viewer, row)
    assert CALL_STATES[state].label in html or "After retry" in html
    assert ("hx-get" in html) is not CALL_STATES[state].final


def test_it_shows_request_answer_usage_and_identifiers(as_viewer):
    row = call(**USAGE, object_id="resp_77", price_basis="prices of November, standard tier")
    answered(row, rate_limits={"x-ratelimit-remaining-requests": "438", "x-ratelimit-limit-requests": "500"})
    body(row, 0, '{"model": "gpt-6-luna", "key": "[redacted: key, 51 characters]"}')
    body(row, 1, '{"status": "completed"}')
    html = page(as_viewer, row)
    for text in (
        *("POST", "/responses", "completed", '<span class="redacted">key, 51 characters</span>'),
        *("180", "1,024", "300", "86", "1,590", "$0.000843", "prices of November"),
        *("resp_77", "req_1", "c0ffee", "438 of 500 requests", str(row.pk)),
    ):
        assert text in html


def test_the_answer_of_each_attempt_and_its_headers_have_their_address(as_viewer):
    row = call(attempts=2)
    answered(row, 1, state="failed", http_status=429, error_message="Too many", retry_reason="rate_limited")
    answered(row, 2)
    body(row, 0, headers={"authorization": "[redacted: credential, 58 characters]"})
    body(row, 1, '{"error": "slow down"}', headers={"retry-after": "6"})
    body(row, 2, '{"status": "completed"}')
    assert "slow down" not in page(as_viewer, row)
    assert "slow down" in page(as_viewer, row, attempt=1)
    assert "retry-after: 6" in page(as_viewer, row, attempt=1, answer="headers")
    assert "credential, 58 characters" in page(as_viewer, row, request="headers")


@pytest.mark.parametrize("wanted", ["3", "0", "-1", "x", "٣", "9" * 400])
def test_an_attempt_that_was_not_made_shows_the_last_one(as_viewer, wanted):
    row = call()
    answered(row)
    body(row, 1, '{"status": "completed"}')
    assert "completed" in page(as_viewer, row, attempt=wanted)


def test_a_cut_body_says_so(as_viewer):
    row = call()
    answered(row)
    body(row, 1, '{"status": "compl', truncated=True, size=2_000_000)
    assert "Cut off: only the beginning is kept." in page(as_viewer, row)


def test_what_went_over_the_wire_is_text(as_viewer):
    evil = "</li><script>alert(1)</script>"
    row = call(error_message=evil, state="failed", cause_label=evil, actor=evil, price_basis=evil)
    answered(row, error_message=evil, retry_reason=evil)
    body(row, 0, '{"input": "' + evil + '"}')
    body(row, 1, evil, headers={"x-evil": evil}, content_type=evil[:60])
    for query in ({}, {"answer": "headers"}):
        assert "<script>alert" not in page(as_viewer, row, **query)


def test_a_failure_stands_on_top_with_its_code(as_viewer):
    row = call(state="failed", error_message="OpenAI answered 401.", error_code="invalid_api_key", help_code="PB-1001")
    html = page(as_viewer, row)
    assert "OpenAI answered 401." in html
    assert "/help/PB-1001/" in html
    assert "invalid_api_key" in html


def test_a_call_in_flight_is_asked_for_until_it_is_finished(as_viewer):
    row = call(state="sending")
    address = f"/log/{row.pk}/?request=headers"
    assert f'hx-get="{address}"' in as_viewer.get(address).content.decode()
    part = as_viewer.get(address, headers=HTMX)
    assert part.status_code == 200
    assert "<!doctype" not in part.content.decode()
    Call.objects.update(state="done")
    last = as_viewer.get(address, headers=HTMX)
    assert last.status_code == 286
    assert "hx-get" not in last.content.decode()


def test_the_story_names_the_other_calls_with_this_correlation(as_viewer):
    row = call()
    other = call(operation="get_response")
    call(correlation_id="another")
    html = page(as_viewer, row)
    assert f"/log/{other.pk}/" in html
    assert "/log/?correlation=c0ffee" in html
    assert "No other call" not in html
    assert "No other call" in page(as_viewer, call(correlation_id="alone"))


def test_a_long_story_is_bounded(as_viewer):
    row = call()
    for _ in range(25):
        call()
    html = page(as_viewer, row)
    assert html.count('<h3><a href="/log/') == 20
    assert "Show all of them" in html


def test_the_cause_is_named_and_an_unknown_kind_too(as_viewer):
    assert "Verification check" in page(as_viewer, call(cause="check", cause_id="4", cause_label="Throttle"))
    assert "Something new" in page(as_viewer, call(cause="something new", cause_id="4"))


def test_the_page_takes_few_queries(as_viewer, django_assert_max_num_queries):
    row = call(attempts=3)
    for number in (1, 2, 3):
        answered(row, number)
        body(row, number)
    for _ in range(10):
        call()
    with django_assert_max_num_queries(7):
        page(as_viewer, row)


def test_an_unknown_call_is_not_found_in_our_words(as_viewer):
    answer = as_viewer.get(f"/log/{uuid.uuid4()}/")
    assert answer.status_code == 404
    assert "There is no such call" in answer.content.decode()
    assert as_viewer.get("/log/not-an-id/").status_code == 404
