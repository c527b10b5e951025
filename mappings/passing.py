"""How many records of the hub a mapping's filters let pass, counted while they are typed. Bounded in records and time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from connections.models import Installation
from mappings.apply import MappingSpec, RecordView, to_request
from mappings.choices import FROM_HUB

MOST = 1000
SECONDS = 1.0


@dataclass(frozen=True)
class Count:
    """Of `seen` records, out of `total`; a filter with an error in it has a `problem` and no numbers."""

    passed: int = 0
    left_out: int = 0
    refused: int = 0
    seen: int = 0
    total: int = 0
    problem: str = ""

    @property
    def of(self) -> str:
        """What the numbers are of."""
        return f"of the first {self.seen:,} of {self.total:,}" if self.seen < self.total else f"of {self.total:,}"


def count(installation: Installation, entity: str, filter: str, error_filter: str) -> Count:
    """By the function that a run applies, without the rules."""
    spec = MappingSpec(
        None, "", 0, FROM_HUB, entity, "", filter=filter, error_filter=error_filter, model=installation.model
    )
    total, records = _records(entity)
    passed = left_out = refused = seen = 0
    until = time.monotonic() + SECONDS
    for record in records:
        applied = to_request(spec, RecordView(**record))
        failed = next((problem for problem in applied.problems if problem.target), None)
        if failed:
            return Count(problem=f"{record['key']}: {failed.sentence}")
        seen, passed = seen + 1, passed + applied.ok
        left_out, refused = left_out + (applied.skipped is not None), refused + bool(applied.problems)
        if time.monotonic() > until:
            break
    return Count(passed, left_out, refused, seen, total)


def _records(entity: str) -> tuple[int, list[dict[str, Any]]]:
    """They live in a room above, which settings name: how many there are, and the first ones as `RecordView` takes them."""
    found: tuple[int, list[dict[str, Any]]] = import_string(settings.RECORDS["first"])(entity, MOST)
    return found
