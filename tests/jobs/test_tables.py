"""The functions that settings name: called when due, and one that fails stops nothing."""

from __future__ import annotations

import threading

import pytest
from django.core.exceptions import ImproperlyConfigured

from jobs import tables

seen: list[str] = []


def good(*names: str) -> None:
    seen.append(names[0] if names else "again")


def bad(*names: str) -> None:
    raise RuntimeError("broken on purpose")


def forbid(name: str) -> None:
    raise ImproperlyConfigured("A key is missing.")


FORBID = f"{__name__}.forbid"
GOOD, BAD = f"{__name__}.good", f"{__name__}.bad"


def test_a_started_process_is_announced_to_every_room_even_when_one_fails(settings, caplog):
    seen.clear()
    settings.ON_PROCESS_START = [BAD, "no.such.function", GOOD]
    tables.process_started("host-1-web")
    assert seen == ["host-1-web"]
    assert [record.getMessage() for record in caplog.records] == [f"{BAD} failed.", "no.such.function failed."]


def test_a_room_may_forbid_the_start(settings):
    settings.ON_PROCESS_START = [FORBID]
    with pytest.raises(ImproperlyConfigured):
        tables.process_started("host-1-web")


def test_periodic_functions_are_called_again_and_again_until_told_to_stop(settings, monkeypatch):
    seen.clear()
    monkeypatch.setattr(tables, "TICK_SECONDS", 0.005)
    settings.PERIODIC = {BAD: 0.01, GOOD: 0.01}
    stop = threading.Event()
    ticker = threading.Thread(target=tables.run_periodic, args=(stop,))
    ticker.start()
    enough = threading.Event()
    while len(seen) < 3 and not enough.wait(0.01):
        pass
    stop.set()
    ticker.join(timeout=30)
    assert not ticker.is_alive()


def test_a_function_that_is_not_due_is_not_called(settings, monkeypatch):
    seen.clear()
    monkeypatch.setattr(tables, "TICK_SECONDS", 0.001)
    settings.PERIODIC = {GOOD: 100_000.0}
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    tables.run_periodic(stop)
    assert seen == []
