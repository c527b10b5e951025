"""Who passes the gate, by pure rules: slots, window, tokens, money, OpenAI's own quota, a broken connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from openai_api.gate.holds import Quota, quotas
from openai_api.gate.rules import Held, Standing, decide, period_end
from openai_api.throttle import NANO, Budget, Throttle

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Someone:
    name: str
    tokens: int = 0
    cost: int = 0
    connection: str = "connection:1"
    model: str = "gpt-6-luna"
    probe: bool = False
    rank: int = 0
    batch: bool = False

    @property
    def hold_key(self) -> str:
        return f"{self.connection}/{self.model}"


def standing(throttle: Throttle | None = None, **known: object) -> Standing:
    return Standing(throttle or Throttle("key", limit=10, connections=5), now=NOON, **known)  # type: ignore[arg-type]


def limits(standing: Standing, *line: Someone) -> dict[str, str]:
    """name → `passes` or the limit that keeps it back"""
    verdicts = decide(standing, line)
    kept = {one.name: obstacle.limit for one, obstacle in verdicts.kept}
    return {one.name: "passes" for one in verdicts.passing} | kept


def test_of_three_free_slots_the_first_three_in_line_get_one():
    found = limits(standing(held=2, counted=2), *[Someone(name) for name in "abcd"])
    assert found == {"a": "passes", "b": "passes", "c": "passes", "d": "connections"}


def test_a_window_that_is_full_says_when_its_first_place_is_free():
    verdicts = decide(standing(counted=4, held=4, tallies={"requests": (6, 2.5)}), [Someone("a")])
    [(_, obstacle)] = verdicts.kept
    assert (obstacle.limit, obstacle.free_in) == ("window", 2.5)


def test_who_is_kept_back_by_a_shared_limit_keeps_back_all_behind():
    throttle = Throttle("key", tokens=1000, connections=5)
    found = limits(standing(throttle, tokens=600), Someone("large", 500), Someone("small", 1))
    assert found == {"large": "tokens", "small": "tokens"}


def test_a_request_larger_than_the_limit_of_tokens_passes_alone():
    throttle = Throttle("key", tokens=1000, connections=5)
    assert limits(standing(throttle), Someone("huge", 5000), Someone("next", 1)) == {"huge": "passes", "next": "tokens"}


def test_tokens_of_the_last_minute_count():
    throttle = Throttle("key", tokens=1000)
    assert limits(standing(throttle, tallies={"tokens": (900, 7.0)}), Someone("a", 101)) == {"a": "tokens"}
    assert limits(standing(throttle, tallies={"tokens": (900, 7.0)}), Someone("a", 100)) == {"a": "passes"}


@pytest.mark.parametrize(
    ("spent", "reserved", "asks", "outcome"),
    [(0, 0, 0, "passes"), (99, 0, 1, "passes"), (99, 0, 2, "budget"), (100, 0, 0, "budget"), (60, 40, 0, "budget")],
)
def test_a_budget_stops_at_its_end_and_counts_what_is_on_its_way(spent, reserved, asks, outcome):
    throttle = Throttle("key", budgets=(Budget("day", cost=100),))
    found = limits(standing(throttle, cost=reserved, tallies={"day-cost": (spent, 1.0)}), Someone("a", cost=asks))
    assert found == {"a": outcome}


def test_a_spent_budget_names_the_amount_and_the_midnight_at_which_it_begins_anew():
    throttle = Throttle("key", budgets=(Budget("day", cost=5 * NANO, tokens=None),))
    [(_, obstacle)] = decide(standing(throttle, tallies={"day-cost": (5 * NANO, 1.0)}), [Someone("a")]).kept
    assert "$5.00 a day" in obstacle.words and obstacle.final and obstacle.free_in == 12 * 3600


def test_a_month_ends_with_its_last_day():
    assert datetime.fromtimestamp(period_end("month", NOON), UTC) == datetime(2026, 12, 1, tzinfo=UTC)
    december = datetime(2026, 12, 31, 23, 59, tzinfo=UTC).timestamp()
    assert datetime.fromtimestamp(period_end("month", december), UTC) == datetime(2027, 1, 1, tzinfo=UTC)


def test_openais_own_quota_keeps_back_its_model_and_nobody_else():
    holds = {"connection:1/gpt-6-luna": [Held("requests", NOON + 4)]}
    found = limits(standing(holds=holds), Someone("luna"), Someone("sol", model="gpt-6.1-sol"))
    assert found == {"luna": "quota", "sol": "passes"}


def test_what_is_left_of_openais_tokens_lets_a_small_request_pass():
    holds = {"connection:1/gpt-6-luna": [Held("tokens", NOON + 4, left=100)]}
    assert limits(standing(holds=holds), Someone("large", 200), Someone("small", 50)) == {
        "large": "quota",
        "small": "passes",
    }


def test_a_hold_that_is_over_holds_nobody():
    holds = {"connection:1/gpt-6-luna": [Held("requests", NOON - 1)]}
    assert limits(standing(holds=holds), Someone("a")) == {"a": "passes"}


def test_after_three_hard_failures_only_a_probe_passes():
    twice, thrice = [Held("circuit", NOON + 15, failures=2)], [Held("circuit", NOON + 15, failures=3)]
    assert limits(standing(holds={"connection:1": twice}), Someone("a")) == {"a": "passes"}
    found = limits(standing(holds={"connection:1": thrice}), Someone("a"), Someone("probe", probe=True))
    assert found == {"a": "circuit", "probe": "passes"}


def test_the_headers_of_an_answer_tell_what_is_left():
    headers = {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1.5s",
        "x-ratelimit-remaining-tokens": "120",
        "x-ratelimit-reset-tokens": "6m0s",
        "x-ratelimit-remaining-project-tokens": "-1",
        "x-ratelimit-reset-project-tokens": "0",
    }
    assert [(quota.kind, quota.left, quota.seconds) for quota in quotas(headers)] == [
        ("requests", 0, 1.5),
        ("tokens", 120, 360.0),
    ]
    assert isinstance(quotas(headers)[0], Quota)
