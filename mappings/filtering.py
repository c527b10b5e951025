"""How many records a mapping's filters let pass, while they are typed. Pure: by the same function as a run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mappings.apply import MappingSpec, Problem, to_request
from mappings.choices import FROM_HUB
from mappings.preview import Excerpt, excerpt, view_of

# Seconds; a person is typing meanwhile.
LONGEST = 0.5


@dataclass
class Counted:
    """What became of the records that were tried, of so many that there are. `problem` is what is wrong with a filter."""

    total: int
    tried: int = 0
    passed: int = 0
    left_out: int = 0
    refused: int = 0
    examples: list[str] = field(default_factory=list)
    problem: Problem | None = None
    mark: Excerpt | None = None


def count(entity: str, filter: str, error_filter: str, total: int, records: Sequence[dict[str, Any]]) -> Counted:
    """Try each record, as long as time allows."""
    spec = MappingSpec(None, "", 0, FROM_HUB, entity, "", filter=filter, error_filter=error_filter)
    found, until = Counted(total), time.monotonic() + LONGEST
    for record in records:
        applied = to_request(spec, view_of(record))
        found.tried += 1
        if applied.problems and applied.problems[0].target:
            found.problem, found.mark = applied.problems[0], excerpt(applied.problems[0])
            return found
        found.refused += bool(applied.problems)
        found.left_out += applied.skipped is not None
        found.passed += applied.ok
        if applied.ok and len(found.examples) < 3:
            found.examples.append(str(record["key"]))
        if time.monotonic() > until:
            break
    return found
