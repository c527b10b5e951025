"""The story of one call as bars on a common scale: waiting in line, each attempt, and the pauses between them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from logs.models import Attempt, Call
from ui.formats import duration_ms

WIDTH: Final = 1000  # of the drawing, in its own units
# Getting a place at the gate takes a moment even when nobody stands in line.
NOTICED: Final = 5.0  # ms
MOST_TICKS: Final = 6
# How `openai_api.retries` begins the reason of a wait that OpenAI asked for.
ASKED: Final = "OpenAI asked to wait"
# The names that `openai_api.gate` gives to its limits.
LIMITS: Final = {
    "window": "All requests of the window were used up",
    "connections": "All connections were in use",
    "batches": "All batch executions were in use",
    "tokens": "All tokens of the minute were used up",
    "quota": "OpenAI's own limit of this model was used up",
    "budget": "The budget of the day or the month was used up",
    "circuit": "The connection was stopped, because it failed again and again",
}
NO_LIMIT: Final = "No limit held it: it was written down and given its place"
STILL: Final = "Still waiting. The installation's page shows what its limits stand at"


@dataclass(frozen=True)
class Bar:
    """A coloured stretch; `x` and `width` in units of the drawing, as text for its attributes."""

    css: str
    x: str
    width: str


@dataclass(frozen=True)
class Step:
    """One row of the drawing. `kind` is line, pause or attempt."""

    kind: str
    title: str
    note: str
    ms: float
    bars: list[Bar]
    http_status: int | None = None


@dataclass(frozen=True)
class Timeline:
    """`ticks` are `(place in percent, label)`; `total_ms` is from being asked to the end, or to now."""

    steps: list[Step]
    ticks: list[tuple[str, str]]
    total_ms: float

    @property
    def summary(self) -> str:
        parts = {"line": "in line", "pause": "paused", "attempt": "at OpenAI"}
        sums = {kind: sum(step.ms for step in self.steps if step.kind == kind) for kind in parts}
        spent = [f"{duration_ms(sums[kind])} {words}" for kind, words in parts.items() if sums[kind] >= 1]
        return f"{duration_ms(self.total_ms)} in all{': ' if spent else ''}{', '.join(spent)}"


@dataclass(frozen=True)
class Scale:
    start: datetime
    total_ms: float

    def ms(self, start: datetime, end: datetime) -> float:
        return max((end - start) / timedelta(milliseconds=1), 0.0)

    def bar(self, css: str, start: datetime, end: datetime) -> Bar:
        unit = WIDTH / self.total_ms
        x = min(self.ms(self.start, start) * unit, WIDTH)
        width = min(max(self.ms(start, end) * unit, 2.0), WIDTH - x) if x < WIDTH else 2.0
        return Bar(css, f"{x:.1f}", f"{width:.1f}")


def timeline(call: Call, attempts: Sequence[Attempt], now: datetime, waits_for: str = "") -> Timeline:
    """`attempts` by number; `now` ends what is not finished. `waits_for` says what a call in line waits for at this moment."""
    end = max([call.finished_at or now, *(attempt.finished_at for attempt in attempts if attempt.finished_at)])
    scale = Scale(call.created_at, max((end - call.created_at) / timedelta(milliseconds=1), 1.0))
    return Timeline(
        list(_steps(call, attempts, end, scale, waits_for or STILL)), _ticks(scale.total_ms), scale.total_ms
    )


def _steps(call: Call, attempts: Sequence[Attempt], end: datetime, scale: Scale, still: str) -> Iterator[Step]:
    if not attempts:
        yield _last_line(scale, call, call.created_at, end, still)
        return
    yield from _noticed(_line(scale, call.created_at, attempts[0].started_at, attempts[0].wait_cause))
    yield _attempt(scale, attempts[0], end)
    for before, attempt in pairwise(attempts):
        left, pause_end = _pause_of(before, attempt)
        yield from _noticed(_pause(scale, before, left, pause_end))
        yield from _noticed(_line(scale, pause_end, attempt.started_at, attempt.wait_cause))
        yield _attempt(scale, attempt, end)
    yield from _tail(scale, call, attempts[-1], end, still)


def _tail(scale: Scale, call: Call, last: Attempt, end: datetime, still: str) -> Iterator[Step]:
    """What follows the last attempt of a call that was to be tried again and has not been, or never will be."""
    if not last.finished_at or not last.retry_reason:
        return
    rest = timedelta(milliseconds=last.retry_after_ms) if last.retry_after_ms is not None else end - last.finished_at
    due = max(min(last.finished_at + rest, end), last.finished_at)
    yield _pause(scale, last, last.finished_at, due)
    if due < end:
        yield from _noticed(_last_line(scale, call, due, end, still))


def _last_line(scale: Scale, call: Call, start: datetime, end: datetime, still: str) -> Step:
    """The line that a call is in, or that it left unsent. A refusal says by which limit, and when to come back."""
    step = _line(scale, start, end, call.error_code if call.state == "rejected" else "")
    if call.state == "rejected":
        return replace(step, title="Refused" if step.ms < NOTICED else step.title, note=call.error_message or step.note)
    return step if call.state_info.final else replace(step, title="Waits in line", note=still)


def _noticed(step: Step) -> Iterator[Step]:
    if step.ms >= NOTICED:
        yield step


def _pause_of(before: Attempt, attempt: Attempt) -> tuple[datetime, datetime]:
    """From the end of a failed attempt to where the line for the next one begins."""
    left = before.finished_at or before.started_at
    return left, min(max(attempt.queued_at, left), attempt.started_at)


def _line(scale: Scale, start: datetime, end: datetime, limit: str) -> Step:
    bars = [scale.bar("f-queue", start, end)]
    return Step("line", "Waited in line", LIMITS.get(limit, limit or NO_LIMIT), scale.ms(start, end), bars)


def _pause(scale: Scale, before: Attempt, start: datetime, end: datetime) -> Step:
    title = "Waited as OpenAI asked" if ASKED in before.retry_reason else "Waited before trying again"
    return Step("pause", title, before.retry_reason, scale.ms(start, end), [scale.bar("f-park", start, end)])


def _attempt(scale: Scale, attempt: Attempt, end: datetime) -> Step:
    left = attempt.finished_at or end
    first_byte = scale.ms(attempt.started_at, attempt.headers_at) if attempt.headers_at else None
    note = attempt.error_message or ("" if first_byte is None else f"First byte after {duration_ms(first_byte)}")
    bars = list(_attempt_bars(scale, attempt, left))
    ms = scale.ms(attempt.started_at, left)
    return Step("attempt", f"Attempt {attempt.number}", note, ms, bars, http_status=attempt.http_status)


def _attempt_bars(scale: Scale, attempt: Attempt, end: datetime) -> Iterator[Bar]:
    """Until the first byte, and from it on; a failure is one bar."""
    if attempt.state_info.tone == "bad":
        yield scale.bar("f-bad", attempt.started_at, end)
        return
    first_byte = attempt.headers_at or end
    yield scale.bar("f-first", attempt.started_at, first_byte)
    if attempt.headers_at and end > attempt.headers_at:
        yield scale.bar("f-ok", first_byte, end)


def _ticks(total_ms: float) -> list[tuple[str, str]]:
    """Round times along the scale, six at most."""
    step = next(step for step in _round_steps() if total_ms / step < MOST_TICKS)
    places = [number * step for number in range(int(total_ms / step) + 1)]
    return [(f"{place / total_ms * 100:.2f}", duration_ms(place)) for place in places]


def _round_steps() -> Iterator[float]:
    power = 1.0
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10
