"""What a call costs, by the library's table: the short way gives what the long one does."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from openai_api import pricing
from openai_api.reading import Reading

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def price(
    incoming: int, cached: int, answer: int, model: str = "gpt-6-luna", tier: str = ""
) -> tuple[Decimal | None, str]:
    details = {"input_tokens_details": {"cached_tokens": cached}}
    usage = {"input_tokens": incoming, "output_tokens": answer, **details}
    return pricing.cost(Reading(model=model, tier=tier, usage=usage), model, NOW)


@pytest.mark.parametrize("model", ["gpt-6-luna", "gpt-6.1-sol", "gpt-4o", "text-embedding-3-small"])
@pytest.mark.parametrize("tier", ["", "flex", "default"])
@pytest.mark.parametrize(
    "usage", [(0, 0, 0), (1, 0, 1), (12_345, 678, 910), (100_000, 99_999, 100_000), (400_000, 0, 9)]
)
def test_the_short_way_gives_what_the_library_gives(model, tier, usage):
    assert price(*usage, model=model, tier=tier) == pricing._asked(model, tier if tier == "flex" else "", NOW, *usage)


def test_a_long_request_costs_more_a_token_where_the_table_says_so():
    short, long = price(100_000, 0, 0)[0], price(400_000, 0, 0)[0]
    assert short and long and long > 4 * short


def test_a_crowd_of_calls_asks_the_library_once(monkeypatch):
    price(10, 0, 10)
    monkeypatch.setattr(pricing, "_asked", lambda *rest: pytest.fail("asked"))
    assert price(1234, 0, 56)[0]


def test_an_unknown_model_has_no_price_and_says_so():
    assert price(1, 0, 1, model="no-such-model") == (None, "no price known for no-such-model")


def test_an_answer_without_usage_has_no_price():
    assert pricing.cost(Reading(model="gpt-6-luna"), "gpt-6-luna", NOW) == (None, "")
