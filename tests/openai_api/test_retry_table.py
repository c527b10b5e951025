"""Every error of OpenAI's published tables, as an answer with its body and headers: is it tried again, and after how long?

The kinds of 429 and the pauses are those of OpenAI's error guide, rate limit guide and official SDK.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from openai_api import errors
from openai_api.retries import RetryPolicy, decide

USUAL = RetryPolicy()
EVERYTHING = RetryPolicy(count=9, on_all_errors=True, repeat_unknown=True)
QUOTA = "insufficient_quota"
LIMIT = (429, "requests", "rate_limit_exceeded", "Rate limit reached for gpt-6-luna in organization org-1.")


def error(status: int, kind: str = "", code: str = "", message: str = "No.") -> errors.CallError:
    body = errors.ErrorBody.of({"error": {"message": message, "type": kind, "param": None, "code": code or None}})
    assert body is not None
    return errors.refused(status, body)


def pause(found: errors.CallError, policy: RetryPolicy = USUAL, **headers: str) -> float | None:
    """Seconds until a POST is tried again after its first attempt, None when it is not."""
    again = decide(policy, found, False, 1, {name.replace("_", "-"): value for name, value in headers.items()})
    return again.seconds if again else None


@pytest.mark.parametrize(
    "row",
    [
        LIMIT,
        (429, "tokens", "rate_limit_exceeded", "Rate limit reached on tokens per min (TPM): Limit 10, Used 9."),
        (429, "rate_limit_error", "", "Rate limit reached"),
        (429, "", "resource_unavailable", "Resource Unavailable"),
        (408, "", "", "Timed out"),
        (409, "", "", "Conflict"),
        (500, "server_error", "", "The server had an error"),
        (502, "", "", "Bad gateway"),
        (503, "service_unavailable_error", "server_is_overloaded", "The engine is currently overloaded"),
        (504, "", "", "Gateway time-out"),
    ],
    ids=lambda row: f"{row[0]} {row[1]} {row[2]}",
)
def test_what_passes_by_itself_is_tried_again(row):
    found = pause(error(*row))
    assert found is not None and 0.375 <= found <= 0.5
    assert pause(error(*row), RetryPolicy(count=0)) is None


@pytest.mark.parametrize(
    "row",
    [
        (429, QUOTA, QUOTA, "You exceeded your current quota"),
        (429, QUOTA, "", "You exceeded your current quota"),
        (429, QUOTA, "credit_balance_exhausted"),
        (429, QUOTA, "organization_spend_limit_exceeded"),
        (429, QUOTA, "project_spend_limit_exceeded"),
        (429, QUOTA, "organization_usage_limit_exceeded"),
        (429, "billing_not_active", "billing_not_active"),
        (429, "tokens", "rate_limit_exceeded", "Request too large for gpt-6-luna: Limit 30000, Requested 40000."),
        (400, "invalid_request_error", "", "We could not parse the JSON body"),
        (400, "invalid_request_error", "context_length_exceeded"),
        (400, "image_generation_user_error", "moderation_blocked"),
        (413, "", ""),
        (422, "", ""),
        (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided"),
        (401, "invalid_request_error", "", "Missing bearer authentication in header"),
        (401, "invalid_request_error", "mismatched_organization", "OpenAI-Organization header should match"),
        (401, "ip_not_authorized", "ip_not_authorized", "IP"),
        (403, "permission_error", "missing_scope", "Missing scopes: api.responses.write"),
        (403, "request_forbidden", "unsupported_country_region_territory"),
        (403, "invalid_request_error", "model_not_found", "Project does not have access to model gpt-6-luna"),
        (404, "invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it"),
        (404, "invalid_request_error", "", "Response not found"),
    ],
    ids=lambda row: f"{row[0]} {row[1]} {row[2]}",
)
def test_what_cannot_succeed_is_never_tried_again_whatever_anybody_says(row):
    assert pause(error(*row)) is None
    assert pause(error(*row), EVERYTHING, x_should_retry="true", retry_after="1") is None


def test_slow_down_is_tried_again_only_where_all_errors_are_or_openai_says_so():
    slow = error(503, "", "slow_down", "Slow Down")
    assert pause(slow) is None
    assert pause(slow, RetryPolicy(on_all_errors=True))
    assert pause(slow, x_should_retry="true")


@pytest.mark.parametrize("row", [LIMIT, (500, "server_error"), (409,), (503, "", "", "overloaded")])
def test_openai_may_forbid_it(row):
    assert pause(error(*row), x_should_retry="false") is None
    assert pause(error(*row), EVERYTHING, x_should_retry="false") is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after_ms": "soon", "retry_after": "9"}, 9),
        ({"retry_after": "2"}, 2),
        ({"retry_after": "2.5"}, 2.5),
        ({"retry_after": "1m3s"}, 63),
        ({"retry_after": "120"}, 120),
        ({"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "6.5s"}, 6.5),
        ({"x_ratelimit_remaining_tokens": "0", "x_ratelimit_reset_tokens": "1m0s"}, 60),
        ({"x_ratelimit_remaining_project_tokens": "0", "x_ratelimit_reset_project_tokens": "90ms"}, 0.09),
        # What is not used up is no reason to wait: the usual pause.
        ({"x_ratelimit_remaining_tokens": "7", "x_ratelimit_reset_tokens": "1m0s"}, None),
        ({"x_ratelimit_remaining_tokens": "-1", "x_ratelimit_reset_tokens": "-1"}, None),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "0"}, None),
        ({"retry_after": "nonsense"}, None),
    ],
)
def test_the_pause_is_as_long_as_the_answer_asks(headers, seconds):
    found = pause(error(*LIMIT), **headers)
    assert found is not None
    assert found == pytest.approx(seconds) if seconds else 0.375 <= found <= 0.5


def test_the_pause_may_be_a_date():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 28 <= (pause(error(*LIMIT), retry_after=later) or 0) <= 30
    long_ago = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    assert (pause(error(*LIMIT), retry_after=long_ago) or 9) <= 0.5


def test_the_pause_may_stand_in_the_words():
    assert pause(error(*LIMIT[:3], "Limit 3, Used 3. Please try again in 1.78s.")) == pytest.approx(1.78)


@pytest.mark.parametrize(
    "headers",
    [
        {"retry_after": "121"},
        {"retry_after_ms": "120001"},
        {"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "6m0s"},
    ],
)
@pytest.mark.parametrize("policy", [USUAL, EVERYTHING])
def test_nobody_waits_longer_than_two_minutes(headers, policy):
    assert pause(error(*LIMIT), policy, **headers) is None


@pytest.mark.parametrize(
    ("only", "status", "tried"),
    [
        (("429",), 429, True),
        (("429",), 500, False),
        (("5xx",), 503, True),
        (("5xx",), 429, False),
        (("409", "5xx"), 409, True),
        (("4xx",), 400, False),
        (("401",), 401, False),
    ],
)
def test_only_some_statuses_are_tried_again_where_only_those_were_asked_for(only, status, tried):
    assert (pause(error(status), RetryPolicy(only=only)) is not None) is tried


def test_what_was_sent_and_not_answered_is_sent_again_only_where_that_was_allowed():
    lost = errors.OutcomeUnknown("The connection broke.")
    assert pause(lost) is None
    assert pause(lost, RetryPolicy(on_all_errors=True)) is None
    assert pause(lost, RetryPolicy(repeat_unknown=True))


def test_a_gateways_page_in_place_of_an_answer_leaves_open_whether_it_was_carried_out():
    page = errors.NotOpenAI("The server answered 502 with text/html.", http_status=502)
    assert pause(page) is None
    assert decide(USUAL, page, True, 1, {}), "What changes nothing may be repeated."
    assert pause(page, RetryPolicy(repeat_unknown=True))


def test_a_fixed_delay_is_kept_and_a_growing_one_is_capped():
    assert pause(error(500), RetryPolicy(delay=7, backoff=False)) == 7
    again = decide(RetryPolicy(count=20, cap=8), error(500), False, 12, {})
    assert again and 6 <= again.seconds <= 8
