"""What comes without a valid token is counted in one row a day, and never stands in the log."""

from __future__ import annotations

import asyncio

import pytest

from logs.models import Attempt, Body, Call
from openai_api import loop
from proxy import knocks
from proxy.models import Knock
from tests import builders
from tests.conftest import wait_until
from tests.proxy.builders import aask, ask, token

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_scanner_makes_no_row_in_the_log_and_one_row_of_knocks() -> None:
    here = builders.installation()

    async def scan() -> None:
        for number in range(9_900):
            got = await aask("GET", f"/proxy/{number}/v1/.env{number}", f"sk-{number}" if number % 2 else "")
            assert got.status == 401
        await asyncio.gather(*(aask("POST", f"/proxy/{here.pk}/v1/responses", f"pbt_{i}", b"{}") for i in range(100)))

    loop.run(scan())
    knocks.write()
    assert not Call.objects.exists() and not Attempt.objects.exists() and not Body.objects.exists()
    knock = Knock.objects.get()
    assert (knock.count, knock.reason, knock.address) == (10_000, "no valid token", "198.51.100.7")
    assert knock.path == f"/proxy/{here.pk}/v1/responses"


def test_what_is_counted_is_added_up_and_keeps_the_last_example() -> None:
    for path in ("/proxy/1/v1/models", "/proxy/1/v1/" + "x" * 500):
        assert ask("GET", path).status == 401
        knocks.write()
    knock = Knock.objects.get()
    assert (knock.count, knock.path) == (2, ("/proxy/1/v1/" + "x" * 200)[:200])


def test_it_is_written_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knocks, "WRITE_AFTER", 0.05)
    assert ask("GET", "/proxy/1/v1/models").status == 401
    wait_until(lambda: Knock.objects.filter(count=1).exists())


def test_no_key_or_query_of_a_knock_is_kept() -> None:
    secret = "pbt_0123456789abcdefghij"
    assert ask("GET", f"/proxy/1/v1/{secret}?key={secret}", secret).status == 401
    knocks.write()
    assert secret not in str(Knock.objects.values()) and "redacted: key" in Knock.objects.get().path


def test_a_token_of_another_installation_counts_as_none() -> None:
    other = builders.installation(name="Other", webhook_key="whk_2")
    secret = token(builders.installation(name="Mine", webhook_key="whk_3"))
    assert ask("GET", f"/proxy/{other.pk}/v1/models", secret).status == 401
    knocks.write()
    assert (Knock.objects.get().count, Call.objects.exists()) == (1, False)


def test_counting_costs_a_scanner_more_than_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knocks, "WRITE_AFTER", 3600)
    for _ in range(200):
        ask("GET", "/proxy/1/v1/models")
    assert not Knock.objects.exists()
    knocks.write()
    assert Knock.objects.get().count == 200
