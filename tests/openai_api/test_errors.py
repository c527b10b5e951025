"""What the gate's refusals say: which limit, when to come back, and where to read more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from openai_api import errors


@pytest.mark.parametrize(
    ("kind", "made", "code", "advice"),
    [
        ("window", errors.Rejected, "PB-2001", "Come back in 12.0 s, or raise the limit."),
        ("connections", errors.Rejected, "PB-2001", "Come back in 12.0 s, or raise the limit."),
        ("batches", errors.Rejected, "PB-2001", "Come back in 12.0 s, or raise the limit."),
        ("tokens", errors.Rejected, "PB-2001", "Come back in 12.0 s, or raise the limit."),
        ("quota", errors.QuotaUsedUp, "PB-2006", "Come back in 12.0 s; a higher limit has to come from OpenAI."),
        ("budget", errors.BudgetSpent, "PB-2007", "It begins anew in 12.0 s; until then, raise the budget"),
        ("circuit", errors.ConnectionStopped, "PB-2008", "it is tried again by itself in 12.0 s."),
    ],
)
def test_a_refusal_names_the_limit_the_wait_before_and_when_to_come_back(kind, made, code, advice):
    error = errors.kept_back(kind, "the words of the limit.", 12.0, waited=3.0)
    assert (type(error), error.help_code, error.kind, error.retry_after, error.sent) == (made, code, kind, 12.0, False)
    assert error.sentence.startswith("Rejected by the throttle after 3 s in line: the words of the limit. ")
    assert advice in error.sentence


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0.1 s"),
        (119.0, "119.0 s"),
        (1500.0, "25 min (14:25 UTC)"),
        (1530.0, "26 min (14:26 UTC)"),
        (36_000.0, "10 h (22 November, 00:00 UTC)"),
        (813_600.0, "226 h (1 December, 00:00 UTC)"),
    ],
)
def test_a_wait_is_told_as_people_say_it_and_a_long_one_with_its_end(seconds, words):
    assert errors._span(seconds, datetime(2026, 11, 21, 14, 0, tzinfo=UTC)) == words
