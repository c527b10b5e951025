"""Applying a mapping: pure functions from a record to a request body, and from an answer to a record's changes.

The preview in the editor and every run call these same two functions, so what is shown is what is done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Literal

from expressions.bounded import ExpressionError, evaluate, plain
from expressions.places import Piece, fill
from mappings import structure
from mappings.paths import PathError, get, put
from mappings.protection import Pairs, Protected, protect, unmasked

Outcome = Literal["written", "default", "empty", "kept", "off", "failed"]
RECORD_PARTS = ("fields", "custom")
# A record is never lost by a mapping: it is marked, as a pull marks what is gone at OpenAI.
DELETED = "custom.deleted"
MOST_PROBLEMS = 20  # of one answer; more say nothing more


@dataclass(frozen=True)
class RuleSpec:
    """One rule: what is taken from where (`kind`, `source`), and how it is written to `target`.

    `source` is a path (field, lookup), a value (static), an expression (formula) or a text with expressions in places
    (template); `lookup` is its table. A value that is not of the `value_type` is refused.
    """

    kind: str
    target: str
    source: str = ""
    default: str = ""
    required: bool = False
    update_mode: str = "overwrite"
    lookup: Mapping[str, Any] = field(default_factory=dict)
    value_type: str = ""
    active: bool = True


@dataclass(frozen=True)
class MappingSpec:
    """A mapping without its database row. `model` is written into requests in which no rule sets one, and so is `schema`:
    what the rules that take the answer want to read. `protection` holds pairs of a record's field and what is done with it.
    """

    id: int | None
    name: str
    version: int
    direction: str
    entity: str
    operation: str
    sync_type: str = "add_and_update"
    rules: tuple[RuleSpec, ...] = ()
    filter: str = ""
    error_filter: str = ""
    model: str = ""
    schema: dict[str, Any] | None = None
    protection: Pairs = ()


@dataclass(frozen=True)
class RecordView:
    """What a mapping sees of a record."""

    key: str
    fields: dict[str, Any]
    custom: dict[str, Any]
    entity: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"key": self.key, "fields": self.fields, "custom": self.custom, "entity": self.entity}


@dataclass(frozen=True)
class Problem:
    """Why a mapping cannot be applied. `rule` counts from 1, and is None for the filters; line and column from 1.

    `repair` is what probably belongs at the place.
    """

    message: str
    rule: int | None = None
    target: str = ""
    source: str = ""
    position: int | None = None
    line: int | None = None
    column: int | None = None
    repair: str = ""

    @property
    def sentence(self) -> str:
        place = f"Line {self.line}, character {self.column}: " if self.line else ""
        return f"{self.target}: {place}{self.message}" if self.target else f"{place}{self.message}"


@dataclass(frozen=True)
class RuleTrace:
    """What one rule did: the value it found, what it wrote (`after`) over what (`before`), and how it ended.

    `pieces` are those of a text with places.
    """

    rule: int
    kind: str
    target: str
    outcome: Outcome
    value: Any = None
    before: Any = None
    after: Any = None
    note: str = ""
    pieces: tuple[Piece, ...] = ()


@dataclass
class Applied:
    """`body` is the whole result: the request body, or the record's fields and custom fields as they will be.

    `changes` maps each target that differs (`fields.x`, `custom.y`, or a path of the body) to its new value. With
    `skipped` or any of `problems` nothing may be sent or written. `protected` is what became of protected fields.
    """

    body: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    skipped: str | None = None
    problems: list[Problem] = field(default_factory=list)
    trace: list[RuleTrace] = field(default_factory=list)
    protected: Protected = Protected({})

    @property
    def ok(self) -> bool:
        return self.skipped is None and not self.problems


@dataclass(frozen=True)
class Place:
    """How targets are read and written: paths of a request body, or names of a record's fields."""

    read: Callable[[str], Any]
    write: Callable[[str, Any], None]
    is_new: bool


def to_request(spec: MappingSpec, record: RecordView, now: str | None = None) -> Applied:
    """The request body for a record. `now` is an ISO 8601 time, by default the present one.

    The filters see the record as it is, the rules what is left of it when its protected fields are gone.
    """
    applied = Applied()
    try:
        known = plain(record.as_dict())
    except ExpressionError as error:
        applied.problems.append(_unusable("record", error))
        return applied
    applied.protected = protect({part: known[part] for part in RECORD_PARTS}, spec.protection)
    known |= {"model": spec.model, "now": now or timestamp()}

    def write(target: str, value: Any) -> None:
        put(applied.body, target, value)
        applied.changes[target] = value

    place = Place(lambda target: get(applied.body, target), write, is_new=True)
    if _passes_filters(spec, known, applied):
        _apply_rules(spec, known | applied.protected.parts, applied, place)
        if spec.model:
            applied.body.setdefault("model", spec.model)
        if spec.schema:
            _ask_for_structure(spec.operation, spec.schema, spec.name, applied)
    return applied


def _ask_for_structure(operation: str, schema: dict[str, Any], name: str, applied: Applied) -> None:
    """Ask for the schema, unless a rule asks for a format of its own."""
    asked = structure.asked_for(operation, schema, name)
    if asked is None:
        return
    outer, inner, value = asked
    if not inner:
        applied.body.setdefault(outer, value)
    elif isinstance(applied.body.setdefault(outer, {}), dict):
        applied.body[outer].setdefault(inner, value)


def to_record(spec: MappingSpec, source: dict[str, Any], record: RecordView | None = None) -> Applied:
    """The changes that an answer or an event makes to a record; without a record, those that make a new one.

    `source` holds response, text, event, request, record and now; what is missing of `now` and `record` is added. `masks`
    among it are undone in response and text. `answer` is the text as a value, where it is JSON; one that does not fit what
    the rules read of it is a problem.
    """
    applied = Applied(skipped=_left_out(spec.sync_type, record))
    if applied.skipped:
        return applied
    try:
        document = _answered({"record": record.as_dict() if record else None, "now": timestamp()} | source)
        before = plain({part: getattr(record, part) if record else {} for part in RECORD_PARTS})
        applied.body = plain(before)
    except ExpressionError as error:
        applied.problems.append(_unusable("answer or its record", error))
        return applied

    def write(target: str, value: Any) -> None:
        part, name = record_target(target)
        applied.body[part][name] = value
        if before[part].get(name) != value or name not in before[part]:
            applied.changes[target] = value

    def read(target: str) -> Any:
        part, name = record_target(target)
        return applied.body[part].get(name)

    if _passes_filters(spec, document, applied):
        _check_structure(spec.rules, document[structure.ANSWER], applied)
        _apply_rules(spec, document, applied, Place(read, write, is_new=record is None))
    if spec.sync_type == "delete" and applied.ok:
        write(DELETED, True)
    return applied


def _answered(source: dict[str, Any]) -> dict[str, Any]:
    """The source with its answer as a value, and its masks undone."""
    document: dict[str, Any] = plain({name: value for name, value in source.items() if name != "masks"})
    masks = source.get("masks") or {}
    answer = document.get(structure.ANSWER) or plain(structure.parsed(document.get("text")))
    document[structure.ANSWER] = unmasked(answer, masks)
    for name in ("response", "text"):
        document[name] = unmasked(document.get(name), masks)
    return document


def _check_structure(rules: tuple[RuleSpec, ...], answer: Any, applied: Applied) -> None:
    schema = structure.schema_of(rules)
    if schema:
        found = (Problem(sentence, target=path) for path, sentence in structure.misfits(schema, answer))
        applied.problems += islice(found, MOST_PROBLEMS)


def record_target(target: str) -> tuple[str, str]:
    """`fields.name` as its two parts; the name may hold dots and spaces. Raises `PathError`."""
    part, _, name = target.partition(".")
    if part not in RECORD_PARTS or not name.strip():
        raise PathError(f"{target!r} is not a field of a record. Write fields.NAME or custom.NAME.")
    return part, name


def timestamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def value_of(text: str) -> Any:
    """What was typed, as a value: JSON where it is JSON (`true`, `400`, `"6404"`, `{...}`), else the text itself."""
    try:
        return json.loads(text, parse_constant=lambda _: text)
    except (ValueError, RecursionError):
        return text


def is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _left_out(sync_type: str, record: RecordView | None) -> str | None:
    if sync_type == "add" and record is not None:
        return f"{record.key} is here already, and this mapping only adds records."
    if sync_type in ("update", "delete") and record is None:
        return f"There is no such record, and this mapping only {sync_type}s records."
    return None


def _apply_rules(spec: MappingSpec, document: dict[str, Any], applied: Applied, place: Place) -> None:
    for number, rule in enumerate(spec.rules, start=1):
        if rule.active:
            _apply_rule(number, rule, document, applied, place)
        else:
            applied.trace.append(RuleTrace(number, rule.kind, rule.target, "off", note="The rule is switched off."))


def _passes_filters(spec: MappingSpec, document: dict[str, Any], applied: Applied) -> bool:
    for name, expression in (("Filter", spec.filter), ("Error filter", spec.error_filter)):
        try:
            met = bool(evaluate(expression, document)) if expression.strip() else name == "Filter"
        except ExpressionError as error:
            applied.problems.append(_problem(error, expression, None, name))
            return False
        if name == "Filter" and not met:
            applied.skipped = "The filter of the mapping leaves this record out."
            return False
        if name == "Error filter" and met:
            applied.problems.append(Problem("The error filter of the mapping refuses this record."))
            return False
    return True


def _apply_rule(number: int, rule: RuleSpec, document: dict[str, Any], applied: Applied, place: Place) -> None:
    try:
        found, pieces = _found(rule, document)
        value = plain(value_of(rule.default)) if is_empty(found) and rule.default != "" else found
        if is_empty(value) and rule.required:
            raise ExpressionError(
                "It is required, and the source is empty. Fill the source, or give the rule a default."
            )
        if not is_empty(value) and (wrong := structure.wrong_type(rule.value_type, value)):
            raise ExpressionError(wrong)
        applied.trace.append(_written(number, rule, found, value, place, pieces))
    except (ExpressionError, PathError) as error:
        applied.problems.append(_problem(error, rule.source, number, rule.target))
        applied.trace.append(RuleTrace(number, rule.kind, rule.target, "failed", note=_words(error)))


def _found(rule: RuleSpec, document: dict[str, Any]) -> tuple[Any, tuple[Piece, ...]]:
    """The value of the rule's source, a copy; and the pieces of a text with places."""
    match rule.kind:
        case "static":
            return plain(value_of(rule.source)), ()
        case "formula":
            return evaluate(rule.source, document), ()
        case "template":
            value, pieces = fill(rule.source, document)
            return value, tuple(pieces)
        case "lookup":
            return plain(rule.lookup.get(_as_key(get(document, rule.source)))), ()
    return plain(get(document, rule.source)), ()


def _as_key(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _written(number: int, rule: RuleSpec, found: Any, value: Any, place: Place, pieces: tuple[Piece, ...]) -> RuleTrace:
    before = plain(place.read(rule.target))

    def trace(outcome: Outcome, after: Any, note: str) -> RuleTrace:
        return RuleTrace(number, rule.kind, rule.target, outcome, found, before, after, note, pieces)

    if is_empty(value):
        return trace("empty", before, "The source is empty, so nothing is written.")
    if rule.update_mode == "if_new" and not place.is_new:
        return trace("kept", before, "Written only into new records.")
    if rule.update_mode == "if_empty" and not is_empty(before):
        return trace("kept", before, "Kept, because it is not empty.")
    after = appended(before, value) if rule.update_mode == "append" else value
    place.write(rule.target, after)
    by_default = is_empty(found)
    return trace(
        "default" if by_default else "written", after, "The source is empty: the default." if by_default else ""
    )


def appended(before: Any, value: Any) -> Any:
    """Old and new together: lists get the members they lack, texts a further line. Twice is as once."""
    if is_empty(before):
        return value
    if isinstance(before, list):
        there = set(map(_key_of, before))
        return before + [each for each in (value if isinstance(value, list) else [value]) if _key_of(each) not in there]
    old, new = str(before), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return old if old == new or old.endswith(f"\n{new}") else f"{old}\n{new}"


def _key_of(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _unusable(what: str, error: ExpressionError) -> Problem:
    return Problem(f"The {what} cannot be used: {error.message[:1].lower()}{error.message[1:]}")


def _problem(error: ExpressionError | PathError, source: str, rule: int | None, target: str) -> Problem:
    if isinstance(error, PathError):
        return Problem(str(error), rule, target, source)
    return Problem(error.message, rule, target, source, error.position, error.line, error.column, error.repair)


def _words(error: ExpressionError | PathError) -> str:
    return error.sentence if isinstance(error, ExpressionError) else str(error)
