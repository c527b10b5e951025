"""The preview: a mapping applied to a sample document, by the same functions as a run."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from mappings import paths
from mappings.apply import (
    Applied,
    MappingSpec,
    Problem,
    RecordView,
    RuleSpec,
    RuleTrace,
    record_target,
    to_record,
    to_request,
)
from mappings.choices import FROM_HUB, OUTCOMES, PROTECTIONS
from mappings.parts import Part, parts_of
from mappings.paths import PathError
from openai_api import estimate
from openai_api.estimate import Estimate
from ui.states import State

MAX_SAMPLE = 200_000
# So many characters of a line before an error: on a phone the error is in sight too.
BEFORE = 30


class SampleError(ValueError):
    """The sample document cannot be used; the text says why."""


def preview(spec: MappingSpec, document: dict[str, Any]) -> Applied:
    """Apply a mapping to a document in the shape of `mappings.samples`. Raises `SampleError`."""
    if spec.direction == FROM_HUB:
        return to_request(spec, view_of(document), now=document.get("now"))
    record = document.get("record")
    return to_record(spec, document, None if record is None else view_of(record))


@dataclass(frozen=True)
class Excerpt:
    """The line of an expression in which an error is: `marked` is the part in question, `gap` the blanks before it."""

    before: str
    marked: str
    after: str
    gap: str
    repair: str = ""  # as `mappings.repairing` takes it


def excerpt(problem: Problem) -> Excerpt | None:
    if problem.position is None or problem.line is None or problem.column is None:
        return None
    line = (problem.source.split("\n") + [""])[problem.line - 1]
    at = problem.column - 1
    word = re.match(r"\w+|.", line[at:])
    end = at + (word.end() if word else 0)
    shown = max(0, at - BEFORE)
    cut = "…" if shown else ""
    repair = f"{problem.position}:{end - at}:{problem.repair}" if problem.repair else ""
    return Excerpt(
        cut + line[shown:at], line[at:end] or " ", line[end : end + 60], " " * (len(cut) + at - shown), repair
    )


@dataclass(frozen=True)
class Shown:
    """An applied mapping as the page shows it: exact body or changed record, problems, a line for each rule.

    `changes` are the fields of a record that differ, each with its value before and after. `parts` are the texts of
    a request as the model will get them, `protected` says of fields what is done with them.
    """

    applied: Applied
    problems: list[tuple[Problem, Excerpt | None]]
    trace: list[tuple[RuleTrace, State]]
    changes: list[tuple[str, Any, Any]] = field(default_factory=list)
    estimate: Estimate | None = None
    parts: list[Part] = field(default_factory=list)
    protected: list[tuple[str, str, str]] = field(default_factory=list)

    def problem_of(self, number: int | None) -> tuple[Problem, Excerpt | None] | None:
        """What is wrong with a rule (its place from 0)."""
        found = (pair for pair in self.problems if number is not None and pair[0].rule == number + 1)
        return next(found, None)


def show(spec: MappingSpec, document: dict[str, Any]) -> Shown:
    applied = preview(spec, document)
    sends = spec.direction == FROM_HUB
    return Shown(
        applied=applied,
        problems=[(problem, excerpt(problem)) for problem in applied.problems],
        trace=[(line, OUTCOMES[line.outcome]) for line in applied.trace],
        changes=[] if sends else changes_of(applied, document),
        estimate=estimate.of(str(applied.body.get("model", "")), applied.body) if sends and applied.ok else None,
        parts=parts_of(applied) if sends else [],
        protected=[(path, PROTECTIONS[mode], mask) for path, mode, mask in applied.protected.notes],
    )


def changes_of(applied: Applied, document: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Each field of a record that differs, with its value before and after."""
    record = document.get("record") or {}
    found = []
    for target, value in applied.changes.items():
        part, name = record_target(target)
        found.append((target, (record.get(part) or {}).get(name), value))
    return found


def written_lines(body: dict[str, Any], target: str, direction: str) -> range:
    """The lines (from 1) of a body laid out as JSON in which a rule's target stands."""
    try:
        way = list(record_target(target)) if direction != FROM_HUB else paths.parts_of(target)
        here: Any = body
        before = 1
        for name in way:
            names = list(here)
            before += 1 + sum(_height(here[each]) for each in names[: names.index(name)])
            here = here[name]
    except (PathError, ValueError, TypeError, KeyError):
        return range(0)
    return range(before, before + _height(here))


def _height(value: Any) -> int:
    """How many lines a value takes, laid out as the code viewer does."""
    return json.dumps(value, indent=2, default=str).count("\n") + 1


def with_draft(spec: MappingSpec, number: int | None, draft: RuleSpec) -> MappingSpec:
    """The mapping with one rule as it is being typed: in place of rule `number` (from 0), or as a new last one."""
    rules = list(spec.rules)
    if number is None:
        rules.append(draft)
    else:
        rules[number] = draft
    return replace(spec, rules=tuple(rules))


def read_sample(text: str) -> dict[str, Any]:
    """A document as a person typed it. Raises `SampleError`."""
    if len(text) > MAX_SAMPLE:
        raise SampleError(f"The sample is longer than {MAX_SAMPLE:,} characters. Shorten it.")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"Line {error.lineno}, character {error.colno}: this is not JSON ({error.msg.lower()}). Correct it."
        raise SampleError(message) from None
    except RecursionError:
        raise SampleError("The sample is nested too deeply. Flatten it.") from None
    except ValueError:
        raise SampleError("A number of the sample has too many digits. Shorten it, or write it as text.") from None
    if not isinstance(document, dict):
        raise SampleError('The sample is not a JSON object. Put it in braces: {"key": ..., "fields": {...}}.')
    return document


def view_of(record: Any) -> RecordView:
    """A record of a sample. Raises `SampleError`."""
    if not isinstance(record, dict):
        raise SampleError("The record of the sample is not a JSON object. Give it key, fields and custom.")
    parts = [record.get("fields", {}), record.get("custom", {})]
    if not all(isinstance(part, dict) for part in parts):
        raise SampleError("fields and custom of the sample must be JSON objects.")
    return RecordView(str(record.get("key", "")), parts[0], parts[1], str(record.get("entity", "")))
