"""What the gauge shows is what the gate counts: window, slots, line, tokens, budgets, and what is held back."""

from __future__ import annotations

import pytest

from openai_api.gate import Ticket, batch, clock, gate, gauge
from openai_api.models import Hold, Tally
from openai_api.throttle import NANO, Budget, Throttle
from tests.conftest import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def shown(throttle: Throttle, connection: str = "connection:7") -> gauge.Gauge:
    return gauge.read([(throttle, connection)])[0]


def spent(key: str, kind: str, amount: int, seconds: float = 60.0) -> None:
    Tally.objects.create(key=key, kind=kind, amount=amount, until=round((clock() + seconds) * 1000))


def test_an_installation_that_never_called_stands_at_nothing():
    found = shown(Throttle(key="new", limit=5))
    assert (found.window.used, found.window.free_in, found.connections.used, found.line.waiting) == (0, 0.0, 0, 0)
    assert [purse.state for purse in found.purses] == ["ok"] * 4
    assert (found.parked, found.stopped, found.saturated) == ((), None, False)


def test_open_calls_waiting_calls_and_batches_are_seen_while_they_last():
    throttle = Throttle(key="busy", limit=50, connections=2, batches=3)
    tickets = [Ticket(throttle, None) for _ in range(3)]
    waits = [gate.arrive(ticket) for ticket in tickets]
    for wait in waits[:2]:
        wait.result(10)
    with batch(throttle):
        wait_until(lambda: shown(throttle).line.waiting == 1)
        found = shown(throttle)
        assert (found.connections.used, found.connections.limit, found.batches.used) == (2, 2, 1)
        assert found.window.used == 2 and found.saturated and 0 <= found.line.longest < 10
    gate.finish(tickets[0]).result(10)
    waits[2].result(10)
    found = shown(throttle)
    assert (found.line.waiting, found.batches.used) == (0, 0)
    assert found.window.used == 3, "the place of a call that has ended counts on"
    for ticket in tickets[1:]:
        gate.finish(ticket).result(10)
    assert (shown(throttle).connections.used, shown(throttle).window.used) == (0, 3)


def test_a_full_window_says_when_its_next_place_is_free():
    throttle = Throttle(key="full", limit=3)
    spent("full", "requests", 2, 21.0)
    spent("full", "requests", 1, 40.0)
    assert 20 < (shown(throttle).window.free_in or 0) <= 21
    spent("full", "requests", 5, -1.0)
    assert shown(throttle).window.used == 3, "what is over counts no more"


def test_a_window_full_of_open_calls_is_free_only_after_one_has_ended():
    throttle = Throttle(key="open", limit=1)
    ticket = Ticket(throttle, None)
    gate.arrive(ticket).result(10)
    assert (shown(throttle).window.used, shown(throttle).window.free_in) == (1, None)
    gate.finish(ticket).result(10)
    assert 50 < (shown(throttle).window.free_in or 0) <= 61


@pytest.mark.parametrize(
    ("cost", "state", "share"), [(3.0, "ok", 60.0), (4.0, "warn", 80.0), (4.99, "warn", 99.8), (5.0, "stopped", 100.0)]
)
def test_a_budget_warns_from_its_share_on_and_is_stopped_at_all_of_it(cost, state, share):
    throttle = Throttle(key="purse", budgets=(Budget("day", cost=5 * NANO),))
    spent("purse", "day-cost", round(cost * NANO))
    purse = shown(throttle).purses[0]
    assert (purse.period, purse.unit, purse.state, round(purse.share, 1)) == ("day", "dollars", state, share)
    assert 0 < purse.ends_in <= 86_400


def test_what_open_calls_are_expected_to_cost_is_reserved_and_counts_for_the_warning():
    throttle = Throttle(key="reserved", tokens=1000, budgets=(Budget("month", tokens=1000, warn=50),))
    ticket = Ticket(throttle, None, tokens=600)
    gate.arrive(ticket).result(10)
    found = shown(throttle)
    month = next(purse for purse in found.purses if (purse.period, purse.unit) == ("month", "tokens"))
    assert (month.spent, month.reserved, month.state) == (0, 600, "warn")
    assert (found.tokens.used, found.tokens.reserved, found.tokens.limit) == (0, 600, 1000)
    gate.finish(ticket).result(10)
    assert shown(throttle).tokens.reserved == 0


def test_a_model_that_is_parked_and_a_connection_that_is_stopped_are_told_apart():
    now = clock()
    Hold.objects.create(key="connection:7/gpt-6-luna", kind="requests", until=now + 30, words="0 requests are left")
    Hold.objects.create(key="connection:7/gpt-6-sol", kind="requests", until=now - 1, words="over")
    Hold.objects.create(key="connection:7", kind="circuit", until=now + 15, failures=2, words="twice is not enough")
    Hold.objects.create(key="connection:77", kind="circuit", until=now + 15, failures=9, words="someone else's")
    found = shown(Throttle(key="any"))
    assert [(parked.model, parked.words) for parked in found.parked] == [("gpt-6-luna", "0 requests are left")]
    assert found.stopped is None
    Hold.objects.filter(key="connection:7").update(failures=3, words="The key was refused.", until=now - 5)
    stopped = shown(Throttle(key="any")).stopped
    assert stopped and (stopped.failures, stopped.words, stopped.probe_in) == (3, "The key was refused.", 0.0)


def test_many_gauges_are_read_at_once(django_assert_max_num_queries):
    asked = [(Throttle(key=f"key-{number}", limit=number), f"connection:{number}") for number in range(1, 31)]
    spent("key-30", "requests", 4)
    with django_assert_max_num_queries(4):  # one of them is PostgreSQL's clock
        found = gauge.read(asked)
    assert [(one.window.limit, one.window.used) for one in found[-2:]] == [(29, 0), (30, 4)]
