"""No window is ever exceeded, no slot leaked, nobody starved: many simulated processes, any order of events, any clock.

A gate takes its turns without its thread here, on a clock that the test sets. What the far side sees is judged by true time:
a request may reach it at any moment between its admission and its end.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from unittest.mock import patch

import pytest
from django.db import OperationalError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from logs.recorder import Ended
from openai_api import sweep
from openai_api.errors import LogUnavailable, Rejected
from openai_api.gate import Gate, Ticket, state
from openai_api.gate.rules import MARGIN
from openai_api.gate.turn import Command
from openai_api.models import Permit, Tally
from openai_api.throttle import Throttle

pytestmark = pytest.mark.django_db
numbers = count()


class Simulated(Gate):
    """A process: it says what it has to say when the test lets it take a turn."""

    def __init__(self, name: str, world: World) -> None:
        super().__init__(name, clock=world.clock, ticking=world.ticking)
        self.said: list[Command] = []

    def _submit(self, commands: list[Command]) -> None:
        self.said += commands

    def turn(self) -> None:
        said, self.said = self.said, []
        self.take_turn(said)


@dataclass
class World:
    """True time, a clock that may have gone back, processes, and what the far side saw."""

    throttle: Throttle
    true: float = 1_800_000_000.0
    behind: float = 0.0
    gates: list[Simulated] = field(default_factory=list)
    waiting: list[tuple[Simulated, Ticket]] = field(default_factory=list)
    held: list[tuple[Simulated, Ticket, float]] = field(default_factory=list)
    seen: list[tuple[float, float]] = field(default_factory=list)
    passed: list[Ticket] = field(default_factory=list)
    refused: int = 0

    def clock(self) -> float:
        return self.true - self.behind

    def ticking(self) -> float:
        return self.true

    def turn(self, place: int) -> None:
        self.gates[place].turn()
        for gate, ticket in list(self.waiting):
            if ticket.admitted.done():
                self.waiting.remove((gate, ticket))
                if ticket.admitted.cancelled() or isinstance(ticket.admitted.exception(), Rejected):
                    self.refused += 1
                    continue
                self.held.append((gate, ticket, self.true))
                self.passed.append(ticket)

    def arrive(self, place: int, delay: float) -> None:
        gate = self.gates[place]
        ticket = Ticket(self.throttle, None, delay=delay, queued_at=self.true)
        gate.arrive(ticket)
        self.waiting.append((gate, ticket))

    def end(self, which: int, early: float) -> None:
        """The far side had it at some moment between its admission and now."""
        if self.held:
            gate, ticket, since = self.held.pop(which % len(self.held))
            self.seen.append((since + (self.true - since) * early, self.true))
            gate.finish(ticket, Ended("done", http_status=200))

    def leave(self, which: int) -> None:
        """A caller goes away: its future is cancelled, and it says so."""
        if self.waiting:
            gate, ticket = self.waiting[which % len(self.waiting)]
            if ticket.admitted.cancel():
                self.waiting.remove((gate, ticket))
                gate.finish(ticket)

    def kill(self, place: int) -> None:
        """A process dies without a word, its supervisor starts another under its name and gives back what it held."""
        gone = self.gates[place]
        for one in [one for one in self.held if one[0] is gone]:
            self.held.remove(one)
            self.seen.append((one[2], self.true))
        self.waiting = [one for one in self.waiting if one[0] is not gone]
        self.gates[place] = Simulated(gone.name, self)
        with patch.object(state, "clock", self.clock):
            sweep.release_process(gone.name)

    def settle(self) -> None:
        """Time goes on, whatever is on the wire ends, and everyone in line gets a turn."""
        for _ in range(400):
            self.true += self.throttle.seconds / 4
            while self.held:
                self.end(0, 0.5)
            for place in range(len(self.gates)):
                self.turn(place)
            if not self.waiting and not self.held and not any(gate.said for gate in self.gates):
                return
        raise AssertionError(f"{len(self.waiting)} still in line")


def worst_window(arrivals: list[float], seconds: float) -> int:
    return max((sum(1 for other in arrivals if one <= other < one + seconds) for one in arrivals), default=0)


def worst_overlap(seen: list[tuple[float, float]]) -> int:
    edges = sorted([(start, 1) for start, _ in seen] + [(end, -1) for _, end in seen])
    level = most = 0
    for _, step in edges:
        level += step
        most = max(most, level)
    return most


place, which = st.integers(0, 3), st.integers(0, 30)
action = st.one_of(
    st.tuples(st.just("arrive"), place, st.sampled_from([0.0, 0.0, 0.0, 0.7])),
    st.tuples(st.just("arrive"), place, st.just(0.0)),
    st.tuples(st.just("turn"), place),
    st.tuples(st.just("end"), which, st.floats(0, 1)),
    st.tuples(st.just("leave"), which),
    st.tuples(st.just("kill"), place),
    st.tuples(st.just("pass"), st.sampled_from([0.001, 0.05, 0.3, 0.99, 1.0, 5.0])),
    st.tuples(st.just("clock back"), st.floats(0.01, 100)),
)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(action, min_size=10, max_size=80), st.integers(1, 4), st.integers(1, 3))
def test_whatever_happens_the_limits_hold_and_everyone_gets_a_turn(db, actions, limit, connections):
    throttle = Throttle(f"world {next(numbers)}", limit=limit, seconds=1.0, connections=connections, deadline=1e9)
    world = World(throttle)
    world.gates = [Simulated(f"{throttle.key} {place}", world) for place in range(4)]
    for name, *values in actions:
        if name == "pass":
            world.true += values[0]
        elif name == "clock back":
            world.behind += values[0]
        else:
            getattr(world, name)(*values)
    world.settle()
    assert worst_window([arrival for arrival, _ in world.seen], throttle.seconds) <= limit
    assert worst_overlap(world.seen) <= connections
    assert not Permit.objects.filter(key=throttle.key).exists()
    assert world.refused == 0


def test_the_world_can_see_a_window_that_was_exceeded(monkeypatch):
    """The proof proves something: with a gate that forgets places, it fails."""
    monkeypatch.setattr(state.Tallies, "place", lambda *rest: None)
    world = World(Throttle("careless", limit=1, seconds=1.0, connections=5))
    world.gates = [Simulated("careless", world)]
    for _ in range(2):
        world.arrive(0, 0.0)
        world.turn(0)
        world.true += 0.1
        world.end(0, 0.5)
        world.turn(0)
    assert worst_window([arrival for arrival, _ in world.seen], 1.0) == 2


def test_first_come_first_served_over_all_processes():
    world = World(Throttle("order", limit=100, seconds=1.0, connections=1))
    world.gates = [Simulated(f"order {place}", world) for place in range(3)]
    for place in (0, 1, 2, 1, 0):
        world.arrive(place, 0.0)
        world.turn(place)
        world.true += 0.01
    world.settle()
    assert [ticket.rank for ticket in world.passed] == sorted(ticket.rank for ticket in world.passed)
    assert len(world.passed) == 5


def test_from_the_moment_it_was_sent_a_long_call_gives_its_place_back_early():
    for from_sent, passed in ((False, 1), (True, 2)):
        world = World(Throttle(f"sent {from_sent}", limit=1, seconds=1.0, connections=5, from_sent=from_sent))
        world.gates = [Simulated(f"sent {from_sent}", world)]
        world.arrive(0, 0.0)
        world.turn(0)
        world.gates[0].sent(world.held[0][1])
        world.arrive(0, 0.0)
        world.turn(0)
        assert len(world.passed) == 1
        world.true += 1.0 + MARGIN + 0.01
        world.turn(0)
        assert len(world.passed) == passed


def test_after_the_clock_went_back_nobody_waits_longer_than_one_window():
    world = World(Throttle("back", limit=1, seconds=1.0, connections=5))
    world.gates = [Simulated("back", world)]
    world.arrive(0, 0.0)
    world.turn(0)
    world.end(0, 0.5)
    world.arrive(0, 0.0)
    world.turn(0)
    world.behind += 3600
    world.true += 6
    world.turn(0)
    world.true += 1.3
    world.turn(0)
    assert len(world.passed) == 2
    assert Tally.objects.filter(key="back", kind="requests").count() <= 1


@pytest.mark.django_db(transaction=True)
def test_an_arrival_that_cannot_be_written_is_refused_and_an_ending_is_said_again(monkeypatch):
    world = World(Throttle("stalled", limit=9, seconds=1.0, connections=5))
    world.gates = [gate] = [Simulated("stalled", world)]
    world.arrive(0, 0.0)
    world.turn(0)
    world.end(0, 0.5)
    late: Future[Ticket] = gate.arrive(Ticket(world.throttle, None, queued_at=world.true))

    def locked(*rest):
        raise OperationalError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr("openai_api.gate.turn.Turn.run", locked)
        gate.turn()
    assert isinstance(late.exception(), LogUnavailable)
    assert Permit.objects.filter(key="stalled", state="held").count() == 1
    gate.take_turn(gate._collect())
    assert not Permit.objects.filter(key="stalled").exists()
