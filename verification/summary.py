"""Results as the pages show them: in the groups of the table of checks, counted, with what the verification cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db.models import DecimalField, Sum
from django.utils import timezone

from logs.models import Call
from ui.bars import Bar, stacked
from ui.states import State
from verification.checks import CHECKS, Check
from verification.models import CheckResult, Verification
from verification.states import CHECK_STATES

COUNTED = ("passed", "failed", "skipped", "running", "waiting")
BARS = {"passed": "p-ok", "failed": "p-fail", "skipped": "p-skip", "running": "p-busy"}


@dataclass(frozen=True)
class Row:
    """A check and its result; `earlier` where that is from a verification before the last one."""

    check: Check
    result: CheckResult
    earlier: bool

    @property
    def sentence(self) -> str:
        return self.result.sentence or self.check.about


@dataclass(frozen=True)
class Group:
    title: str
    rows: list[Row]

    @property
    def passed(self) -> int:
        return sum(1 for row in self.rows if row.result.state == "passed")


@dataclass(frozen=True)
class Summary:
    """`counts` are (state, how many) of the states there are; the rest is of the verification as a whole."""

    total: int
    passed: int
    counts: list[tuple[State, int]]
    bars: list[Bar]
    elapsed_ms: float | None
    calls: int
    cost: Any


def groups_of(results: Iterable[CheckResult], last: Verification | None = None) -> list[Group]:
    """Results by group, in the order of the table. Checks that were renamed or removed since are left out."""
    by_slug = {result.slug: result for result in results}
    rows = [
        Row(check, by_slug[slug], last is not None and by_slug[slug].verification_id != last.pk)
        for slug, check in CHECKS.items()
        if slug in by_slug
    ]
    return [Group(title, list(members)) for title, members in groupby(rows, key=lambda row: row.check.group)]


def summary_of(verification: Verification, results: list[CheckResult]) -> Summary:
    found = [result.state for result in results]
    calls = Call.objects.filter(correlation_id=verification.correlation_id)
    cost = calls.aggregate(cost=Sum("cost", output_field=DecimalField()))["cost"]
    return Summary(
        total=len(found),
        passed=found.count("passed"),
        counts=[(CHECK_STATES[name], found.count(name)) for name in COUNTED if name in found],
        bars=stacked([(css, found.count(name)) for name, css in BARS.items()], len(found)),
        elapsed_ms=_elapsed_ms(verification),
        calls=calls.count(),
        cost=cost,
    )


def _elapsed_ms(verification: Verification) -> float | None:
    if verification.started_at is None:
        return None
    return ((verification.finished_at or timezone.now()) - verification.started_at).total_seconds() * 1000
