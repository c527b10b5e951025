"""Which failures are tried again and after how long: by OpenAI's own headers, durations and kinds of 429."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_api import errors
from openai_api.retries import LONGEST_WAIT, RetryPolicy, asked_wait, decide, go_duration, pause


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12ms", 0.012),
        ("6m0s", 360),
        ("1.98s", 1.98),
        ("1h2m3s", 3723),
        ("8ms", 0.008),
        ("-1", None),
        ("0", None),
        ("", None),
        ("1 s", None),
    ],
)
def test_go_durations(text, seconds):
    assert go_duration(text) == pytest.approx(seconds) if seconds else go_duration(text) is None


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_none(text):
    found = go_duration(text)
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "2"}, 2),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:05 GMT"}, 5),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, 0.12),
    ],
)
def test_the_wait_that_an_answer_asks_for(headers, seconds):
    found = asked_wait(headers, now=datetime(2026, 11, 21, 12, tzinfo=UTC))
    assert found and found[0] == pytest.approx(seconds)


def test_a_quota_that_is_not_used_up_asks_for_no_wait():
    assert asked_wait({"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "6m0s"}) is None


def test_the_wait_in_the_words_of_the_message():
    found = asked_wait({}, "Limit 3, Used 3. Please try again in 20.5s. Visit")
    assert found and found[0] == 20.5


@pytest.mark.parametrize(
    "headers", [{"retry-after": "soon"}, {"retry-after": "-3"}, {"retry-after-ms": "nan"}, {"retry-after": "inf"}]
)
def test_nonsense_asks_for_no_wait(headers):
    assert asked_wait(headers) is None


LIMITED = errors.RateLimited("Slow", http_status=429)


def test_a_longer_wait_than_two_minutes_is_handed_to_the_caller():
    assert decide(RetryPolicy(), LIMITED, False, 1, {"retry-after": str(LONGEST_WAIT + 1)}) is None
    assert decide(RetryPolicy(), LIMITED, False, 1, {"retry-after": "1"})


def test_the_count_is_kept():
    assert decide(RetryPolicy(count=2), LIMITED, False, 2, {})
    assert decide(RetryPolicy(count=2), LIMITED, False, 3, {}) is None
    assert decide(RetryPolicy(count=0), LIMITED, False, 1, {}) is None


def test_openai_may_say_itself_whether_to_retry():
    failed = errors.ServerFailed("Broke", http_status=500)
    assert decide(RetryPolicy(), failed, False, 1, {"x-should-retry": "false"}) is None
    assert decide(RetryPolicy(), errors.FailedInside("Broke"), False, 1, {}) is None


@pytest.mark.parametrize(
    "kind", [errors.NoCredit, errors.BadRequest, errors.BadKey, errors.NotFound, errors.ModelNotFound]
)
def test_what_cannot_succeed_is_never_repeated_whatever_anybody_says(kind):
    everything = RetryPolicy(count=9, on_all_errors=True, repeat_unknown=True)
    assert decide(everything, kind("No"), True, 1, {"x-should-retry": "true", "retry-after": "1"}) is None


def test_slow_down_is_not_repeated_by_each_request():
    slow = errors.ServerFailed("OpenAI answered 503: Slow Down. The fault is at OpenAI.", http_status=503)
    assert decide(RetryPolicy(), slow, False, 1, {}) is None


@given(st.integers(min_value=1, max_value=40), st.floats(min_value=0.1, max_value=100))
def test_backoff_grows_and_stays_under_its_cap(attempt, cap):
    assert 0 < pause(RetryPolicy(cap=cap), attempt) <= cap
