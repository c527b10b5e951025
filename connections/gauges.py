"""What the gauges of installations say to people: one state for lists, and a sentence for each thing that needs a look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connections.models import Installation
from connections.waits import line_waits_for
from openai_api.gate import gauge
from openai_api.gate.gauge import Gauge, Parked, Purse, Stopped
from openai_api.throttle import NANO
from ui import help
from ui.formats import clock, duration_ms, money
from ui.states import State

# More slots than this are shown as a number alone.
MOST_PIPS = 20


@dataclass(frozen=True)
class Alert:
    """Something that keeps calls back or soon will. `label` is for lists, `sentence` says why and until when."""

    tone: str
    label: str
    sentence: str
    help_code: str


@dataclass(frozen=True)
class Level:
    """A budget as a page draws it: amounts as text, `share` in percent, `css` of the bar."""

    title: str
    used: str
    limit: str
    reserved: str
    share: int
    css: str
    note: str


@dataclass(frozen=True)
class Live:
    """An installation and what its limits stand at now."""

    installation: Installation
    gauge: Gauge
    alerts: list[Alert]

    @property
    def state(self) -> State:
        if self.alerts:
            worst = self.alerts[0]
            return State("alert", worst.label, "bad" if worst.tone == "bad" else "warn", worst.tone)
        if self.gauge.saturated:
            return State("saturated", "Saturated", "warn", "wait")
        busy = self.gauge.connections.used > 0
        return State("busy", "At work", "info", "busy") if busy else State("idle", "Free", "ok", "ok")

    @property
    def levels(self) -> list[Level]:
        """The budgets that are set; of the others what was spent in dollars."""
        return [_level(purse) for purse in self.gauge.purses if purse.limit is not None or purse.unit == "dollars"]

    @property
    def next_place(self) -> str:
        """When the window has room again; empty while it has."""
        free_in = self.gauge.window.free_in
        if free_in is None:
            return "free after an open call has ended"
        return f"free in {duration_ms(free_in * 1000)}" if free_in else ""

    @property
    def longest_ms(self) -> float:
        return self.gauge.line.longest * 1000

    @property
    def waits_for(self) -> str:
        return line_waits_for(self.gauge)

    @property
    def pips(self) -> list[bool]:
        slots = self.gauge.connections
        return [place < slots.used for place in range(slots.limit)] if slots.limit <= MOST_PIPS else []

    @property
    def as_json(self) -> dict[str, Any]:
        """For programs: money in dollars, times in seconds."""
        found = asdict(self.gauge) | {"purses": [_purse_json(purse) for purse in self.gauge.purses]}
        if found["stopped"]:
            found["stopped"]["call_id"] = str(found["stopped"]["call_id"] or "")
        alerts = [asdict(alert) for alert in self.alerts]
        named = {"installation": self.installation.name, "state": self.state.label, "waits_for": self.waits_for}
        return {**named, "alerts": alerts, **found}


def live(installations: Iterable[Installation]) -> list[Live]:
    """Their gauges, in their order. The connections come along with `select_related`."""
    rows = list(installations)
    gauges = gauge.read([(row.throttle, row.connection.hold_key) for row in rows])
    return [Live(row, found, alerts_of(found)) for row, found in zip(rows, gauges, strict=True)]


def alerts_of(found: Gauge) -> list[Alert]:
    """The worst first."""
    alerts = [_on_stopped(found.stopped)] if found.stopped else []
    alerts += [_on_purse(purse, found.at) for purse in found.purses if purse.state == "stopped"]
    alerts += [_on_purse(purse, found.at) for purse in found.purses if purse.state == "warn"]
    return alerts + [_on_parked(parked, found.at) for parked in found.parked]


def _on_stopped(stopped: Stopped) -> Alert:
    again = f"in {duration_ms(stopped.probe_in * 1000)}" if stopped.probe_in >= 1 else "any moment now"
    sentence = (
        f"The connection failed {stopped.failures} times in a row, so nothing is sent through it. {stopped.words} "
        f"It is due to be tried again {again}; a test that passes starts it at once."
    )
    return Alert("bad", "Connection stopped", sentence, help.CONNECTION_STOPPED)


def _on_purse(purse: Purse, now: float) -> Alert:
    until = _at(now + purse.ends_in)
    what = f"{_amount(purse, purse.limit or 0)} {_unit(purse)}a {purse.period}"
    if purse.state == "stopped":
        spent = f"{_amount(purse, purse.spent)} {_unit(purse)}".strip()
        sentence = f"{spent} of {what} are spent. All calls are refused until {until}, or until the budget is raised."
        return Alert("bad", f"Budget of the {purse.period} spent", sentence, help.BUDGET_SPENT)
    left = max((purse.limit or 0) - purse.spent - purse.reserved, 0)
    sentence = (
        f"{purse.share:.0f} % of {what} are spent or reserved. {_amount(purse, left)} {_unit(purse)}are left until {until}; "
        "a call that is expected to take more is refused."
    )
    return Alert("warn", f"{purse.share:.0f} % of the {purse.period}'s budget", sentence, help.BUDGET_SPENT)


def _on_parked(parked: Parked, now: float) -> Alert:
    model = parked.model or "calls without a model"
    larger = f" that need more than {parked.left:,} tokens" if parked.kind == "tokens" and parked.left else ""
    sentence = f"Calls of {model}{larger} wait until {_at(now + parked.free_in)}: {parked.words.rstrip('.')}."
    return Alert("warn", f"Parked: {model}", sentence, help.QUOTA_USED_UP)


def _level(purse: Purse) -> Level:
    spent, limit = _amount(purse, purse.spent), purse.limit
    css = {"ok": "bar", "warn": "bar bar-warn", "stopped": "bar bar-bad"}[purse.state]
    return Level(
        title=f"{purse.unit.capitalize()} of the {purse.period}",
        used=spent,
        limit="" if limit is None else _amount(purse, limit),
        reserved=_amount(purse, purse.reserved) if purse.reserved else "",
        share=min(round(purse.share), 100),
        css=css,
        note={"ok": "", "warn": f"over {purse.warn} %", "stopped": "stopped"}[purse.state],
    )


def _amount(purse: Purse, amount: int) -> str:
    return money(Decimal(amount) / NANO) if purse.unit == "dollars" else f"{amount:,}"


def _unit(purse: Purse) -> str:
    return "tokens " if purse.unit == "tokens" else ""


def _purse_json(purse: Purse) -> dict[str, Any]:
    amounts: dict[str, Any] = {"spent": purse.spent, "reserved": purse.reserved, "limit": purse.limit}
    if purse.unit == "dollars":
        amounts = {name: gauge.in_dollars(amount) for name, amount in amounts.items()}
    return asdict(purse) | amounts | {"share": round(purse.share, 1), "state": purse.state}


def _at(seconds: float) -> str:
    return clock(datetime.fromtimestamp(seconds, UTC))
