"""Who is let in: a token opens its installations, and what is changed holds within two seconds."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.utils import timezone

from connections import actions as connections
from connections.models import Installation
from openai_api import loop
from proxy import actions, doors
from proxy.doors import Door
from proxy.models import Token, digest
from tests import builders
from tests.conftest import wait_until
from tests.proxy.builders import ADA, token

pytestmark = pytest.mark.django_db(transaction=True)


def door(installation: object, secret: str) -> Door | None:
    found: Door | None = loop.run(doors.door(str(installation), secret))
    return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The doors' own, whose `monotonic` a test may set."""
    clock = SimpleNamespace(monotonic=time.monotonic)
    monkeypatch.setattr(doors, "time", clock)
    return clock


def test_a_token_opens_its_installations_by_id_and_by_name() -> None:
    here, there = builders.installation(), builders.installation(name="Shop / live", webhook_key="whk_2")
    secret = token(here, there, name="Warehouse")
    for named, row in ((here.pk, here), (here.name, here), (there.pk, there), (there.name, there)):
        opened = door(named, secret)
        assert opened is not None
        assert (opened.token_name, opened.client.origin.installation_id) == ("Warehouse", row.pk)


def test_it_opens_no_other_installation() -> None:
    here, other = builders.installation(), builders.installation(name="Other", webhook_key="whk_2")
    secret = token(here)
    assert door(here.pk, secret) is not None
    for named in (other.pk, other.name, 999, "", "no such name", "²"):
        assert door(named, secret) is None


@pytest.mark.parametrize("wrong", ["", "pbt_", "pbt_wrong", "sk-sandbox", builders.WEBHOOK_KEY, "pbt_é"])
def test_what_is_no_token_opens_nothing(wrong: str) -> None:
    assert door(builders.installation().pk, wrong) is None


def test_a_revoked_token_opens_nothing_within_two_seconds(clock: SimpleNamespace) -> None:
    here = builders.installation()
    secret = token(here)
    assert door(here.pk, secret) is not None
    actions.revoke_token(ADA, Token.objects.get())
    clock.monotonic = lambda: time.monotonic() + 2
    assert door(here.pk, secret) is None


def test_a_replaced_key_and_a_changed_limit_are_taken_up_within_two_seconds(clock: SimpleNamespace) -> None:
    here = builders.installation()
    secret = token(here)
    assert door(here.pk, secret) is not None
    connections.replace_key(ADA, here.connection, "sk-another-key-0123456789")
    connections.update_installation(ADA, here, {"throttle_limit": 3})
    clock.monotonic = lambda: time.monotonic() + 2
    opened = door(here.pk, secret)
    assert opened is not None
    key, limit = opened.client.headers["Authorization"], opened.client.throttle.limit
    assert (key, limit) == ("Bearer sk-another-key-0123456789", 3)


def test_a_door_that_was_just_opened_costs_no_query(monkeypatch: pytest.MonkeyPatch) -> None:
    here = builders.installation()
    secret = token(here)
    assert door(here.pk, secret) is not None
    monkeypatch.setattr(doors, "_find", lambda *key: pytest.fail("looked again"))
    assert door(here.pk, secret) is not None


def test_a_crowd_at_one_door_sends_one_to_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    here = builders.installation()
    secret = token(here)
    assert door(here.pk, secret) is not None
    looks, find = [], doors._find
    monkeypatch.setattr(doors, "_find", lambda *key: looks.append(key) or find(*key))
    monkeypatch.setattr(doors, "FRESH", 60.0)
    for kept in doors._kept.values():
        kept.until = 0.0

    async def crowd() -> list[Door | None]:
        return await asyncio.gather(*(doors.door(str(here.pk), secret) for _ in range(50)))

    assert all(loop.run(crowd())) and len(looks) == 1


def nearly_over(monkeypatch: pytest.MonkeyPatch, here: Installation, secret: str) -> doors.Kept:
    """The door that is kept, early enough to be looked at again and not yet to be looked at first."""
    monkeypatch.setattr(doors, "EARLY", 60.0)
    kept = doors._kept[str(here.pk), digest(secret)]
    kept.until = time.monotonic() + 30
    return kept


def test_nobody_waits_while_a_door_in_use_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    here = builders.installation()
    secret = token(here)
    assert door(here.pk, secret) is not None
    looked, go_on, find = threading.Event(), threading.Event(), doors._find

    def slowly(*key: str) -> Door | None:
        looked.set()
        go_on.wait(10)
        return find(*key)

    monkeypatch.setattr(doors, "_find", slowly)
    kept = nearly_over(monkeypatch, here, secret)
    assert door(here.pk, secret) is kept.door
    assert looked.wait(10)
    go_on.set()
    wait_until(lambda: kept not in doors._kept.values())
    opened = door(here.pk, secret)
    assert opened is not None and opened is not kept.door


def test_a_look_that_fails_takes_no_door_away_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    here = builders.installation()
    secret = token(here)
    assert door(here.pk, secret) is not None
    kept = nearly_over(monkeypatch, here, secret)

    def broken(*key: str) -> Door | None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as failing:
        failing.setattr(doors, "_find", broken)
        assert door(here.pk, secret) is kept.door
        wait_until(lambda: kept.look is None)
        assert door(here.pk, secret) is kept.door
        kept.until = 0.0
        with pytest.raises(OperationalError):
            door(here.pk, secret)
    assert door(here.pk, secret) is not None


def test_a_flood_of_wrong_tokens_takes_a_few_threads_only() -> None:
    here = builders.installation()

    async def flood() -> int:
        knocking = [asyncio.ensure_future(doors.door(str(here.pk), f"pbt_wrong{number}")) for number in range(100)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        busy = threading.active_count()
        assert not any(await asyncio.gather(*knocking))
        return busy

    before = threading.active_count()
    assert loop.run(flood()) <= before + 5, "four that look, and the loop"


def test_a_database_that_fails_lets_nobody_in_and_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    here = builders.installation()
    secret = token(here)
    find = doors._find

    def broken(*key: str) -> Door | None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(doors, "_find", broken)
    with pytest.raises(OperationalError):
        door(here.pk, secret)
    monkeypatch.setattr(doors, "_find", find)
    assert door(here.pk, secret) is not None


def test_wrong_tokens_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    here = builders.installation()
    for number in range(20):
        assert door(here.pk, f"pbt_wrong{number}") is None
    assert not doors._kept
    monkeypatch.setattr(doors, "MOST_KEPT", 3)
    for number in range(5):
        assert door(here.pk, token(here, name=f"Program {number}")) is not None
    assert len(doors._kept) == 3


def test_when_it_was_last_used_is_written_once_a_minute() -> None:
    here = builders.installation()
    secret = token(here)
    assert Token.objects.get().last_used_at is None
    assert door(here.pk, secret) is not None
    first = Token.objects.get().last_used_at
    assert first is not None
    doors._kept.clear()
    assert door(here.pk, secret) is not None
    assert Token.objects.get().last_used_at == first
    Token.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    doors._kept.clear()
    assert door(here.pk, secret) is not None
    assert Token.objects.get().last_used_at > first


def test_a_token_stands_nowhere_but_at_its_owner() -> None:
    secret = token()
    assert secret not in str(Token.objects.values()) and secret[-12:] not in str(Token.objects.values())
    assert secret not in repr(actions.create_token(ADA, "Other", [])) and "secret" not in repr(
        actions.create_token(ADA, "Third", [])
    )
