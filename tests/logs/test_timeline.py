"""The bars of one call: what waited, what was sent, and why it was tried again."""

from datetime import timedelta

import pytest

from logs.timeline import LIMITS, NO_LIMIT, STILL, _ticks, timeline
from tests.logs.builders import answered, call

pytestmark = pytest.mark.django_db


def told(row, *attempts, later=0.0):
    return timeline(row, attempts, row.created_at + timedelta(seconds=later))


def kinds(story):
    return [(step.kind, step.title, round(step.ms)) for step in story.steps]


def test_a_call_that_went_through_at_once_is_one_bar_with_its_first_byte():
    row = call()
    story = told(row, answered(row, started_at=row.created_at, finished_at=row.finished_at))
    assert kinds(story) == [("attempt", "Attempt 1", 1300)]
    assert story.steps[0].note == "First byte after 700 ms"
    assert [(bar.css, bar.x, bar.width) for bar in story.steps[0].bars] == [
        ("f-first", "0.0", "538.5"),
        ("f-ok", "538.5", "461.5"),
    ]
    assert story.summary == "1.3 s in all: 1.3 s at OpenAI"


def test_waiting_in_line_names_the_limit():
    row = call()
    story = told(row, answered(row, wait_cause="connections"))
    assert kinds(story)[0] == ("line", "Waited in line", 200)
    assert story.steps[0].note == "All connections were in use"


def test_a_retry_shows_what_openai_asked_for_and_the_line_after_it():
    row = call(finished_at=None, attempts=2)
    asked = "rate_limited, OpenAI asked to wait (retry-after-ms: 6200)"
    first = answered(
        row, state="failed", http_status=429, retry_reason=asked, retry_after_ms=6200, error_message="Too many requests"
    )
    left = first.finished_at
    second = answered(
        row,
        number=2,
        queued_at=left + timedelta(milliseconds=6200),
        started_at=left + timedelta(milliseconds=6500),
        finished_at=left + timedelta(milliseconds=7500),
        wait_cause="window",
    )
    row.finished_at = second.finished_at
    story = told(row, first, second)
    assert kinds(story) == [
        ("line", "Waited in line", 200),
        ("attempt", "Attempt 1", 1000),
        ("pause", "Waited as OpenAI asked", 6200),
        ("line", "Waited in line", 300),
        ("attempt", "Attempt 2", 1000),
    ]
    assert [step.note for step in story.steps[1:4]] == [
        "Too many requests",
        asked,
        "All requests of the window were used up",
    ]
    assert [bar.css for bar in story.steps[1].bars] == ["f-bad"]
    assert story.summary == "8.7 s in all: 500 ms in line, 6.2 s paused, 2.0 s at OpenAI"


def test_a_backoff_of_our_own_is_not_put_in_openais_mouth():
    row = call(attempts=2)
    first = answered(row, state="failed", retry_reason="server_failed")
    story = told(row, first, answered(row, number=2))
    assert "Waited before trying again" in [step.title for step in story.steps]


def test_time_in_line_that_no_limit_took_says_so():
    row = call(attempts=1)
    (first, *_) = told(row, answered(row, wait_cause="")).steps
    assert (first.title, first.note) == ("Waited in line", NO_LIMIT)


def test_a_call_in_line_grows_until_now():
    row = call(state="queued", attempts=0)
    assert kinds(told(row, later=4)) == [("line", "Waits in line", 4000)]


def test_a_call_that_waits_to_be_tried_again_grows_until_now():
    row = call(state="retrying")
    first = answered(row, state="failed", retry_reason="server_failed", headers_at=None)
    assert kinds(told(row, first, later=3))[-1] == ("pause", "Waited before trying again", 1800)


def test_a_retry_that_has_rested_and_stands_in_line_again_is_told_apart():
    row = call(state="retrying")
    first = answered(row, state="failed", retry_reason="server_failed", retry_after_ms=800)
    story = told(row, first, later=3)
    assert kinds(story)[-2:] == [("pause", "Waited before trying again", 800), ("line", "Waits in line", 1000)]
    assert story.steps[-1].note == STILL
    story = timeline(row, [first], row.created_at + timedelta(seconds=3), "Waits for a place")
    assert story.steps[-1].note == "Waits for a place"


def test_a_retry_that_the_gate_refused_shows_its_last_wait_and_when_to_come_back():
    said = "Rejected by the throttle after 3 s in line: OpenAI's own limit is used up. Come back in 40.0 s."
    row = call(state="rejected", error_code="quota", error_message=said)
    row.finished_at = row.created_at + timedelta(seconds=5)
    first = answered(row, state="failed", retry_reason="server_failed", retry_after_ms=800)
    story = told(row, first)
    assert kinds(story)[-2:] == [("pause", "Waited before trying again", 800), ("line", "Waited in line", 3000)]
    assert story.steps[-1].note == said


def test_an_attempt_that_was_the_last_one_has_nothing_after_it():
    row = call(state="failed")
    assert [step.kind for step in told(row, answered(row, state="failed", retry_reason="")).steps] == [
        "line",
        "attempt",
    ]


@pytest.mark.parametrize("limit", ["window", "connections", "tokens", "quota", "budget", "circuit", "batches"])
def test_every_limit_of_the_gate_has_words(limit):
    row = call()
    assert told(row, answered(row, wait_cause=limit)).steps[0].note == LIMITS[limit] != limit


def test_a_call_that_was_refused_at_once_says_so_and_when_to_come_back():
    said = "Rejected by the throttle at once: the budget of $2.00 a day is used up. It begins anew in 3 h."
    row = call(state="rejected", attempts=0, error_code="budget", error_message=said)
    row.finished_at = row.created_at + timedelta(milliseconds=2)
    assert [(step.title, step.note) for step in told(row).steps] == [("Refused", said)]


def test_a_running_attempt_grows_until_now():
    row = call(state="sending")
    running = answered(row, state="sending", headers_at=None, finished_at=None, http_status=None)
    assert kinds(told(row, running, later=2))[-1] == ("attempt", "Attempt 1", 1800)


def test_a_rejected_call_was_never_sent():
    row = call(state="rejected", attempts=0, error_code="window")
    story = told(row)
    assert kinds(story) == [("line", "Waited in line", 1300)]
    assert story.steps[0].note == "All requests of the window were used up"


@pytest.mark.parametrize("shift", [-5000, 0, 5000, 10**9])
def test_clocks_that_disagree_never_draw_outside(shift):
    row = call()
    moved = row.created_at + timedelta(milliseconds=shift)
    for step in told(row, answered(row, started_at=moved, finished_at=moved)).steps:
        for bar in step.bars:
            assert 0 <= float(bar.x) <= 1000
            assert float(bar.width) > 0
            assert float(bar.x) + float(bar.width) <= 1002


@pytest.mark.parametrize("total", [1.0, 7.0, 840.0, 1000.0, 9370.0, 59_999.0, 3_600_000.0])
def test_ticks_are_few_and_on_the_scale(total):
    ticks = _ticks(total)
    assert 2 <= len(ticks) <= 6
    assert ticks[0] == ("0.00", "0 ms")
    assert all(0 <= float(place) <= 100 for place, _ in ticks)
