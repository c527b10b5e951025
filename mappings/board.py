"""The picture of a mapping: source fields left, target fields right, and cords between them. Pure.

Every row is as high as every other, so where a cord ends follows from the number of its row and nothing is measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from expressions.names import read_by
from expressions.places import pieces
from mappings.apply import Applied, MappingSpec, RuleSpec
from mappings.choices import FROM_HUB
from mappings.fields import Field, Parts, shown
from mappings.paths import PathError, parts_of
from mappings.structure import ANSWER

ROW = 36
# So many fields of a column are shown until all are asked for; those that rules use are always shown.
SOURCES, TARGETS = 14, 12
ICONS = {"field": "link", "static": "equals", "formula": "formula", "lookup": "table", "template": "edit"}


@dataclass(frozen=True)
class Source:
    """A field that can be read, under a `label` that no other has.

    `hot` feeds the rule that is open; `held` waits for its other end.
    """

    field: Field
    label: str
    used: bool = False
    hot: bool = False
    held: bool = False

    @property
    def css(self) -> str:
        names = {"on": self.used, "hot": self.hot, "held": self.held}
        return " ".join(name for name, there in names.items() if there)


@dataclass(frozen=True)
class Target:
    """A field that can be filled, with the rule that fills it: its place (from 0) and its row's id, None for a draft."""

    field: Field
    label: str
    rule: RuleSpec | None = None
    number: int | None = None
    pk: int | None = None
    selected: bool = False
    failed: bool = False
    note: str = ""

    @property
    def missing(self) -> bool:
        return self.field.required and self.rule is None

    @property
    def kind(self) -> str:
        return self.rule.kind if self.rule else "none"

    @property
    def icon(self) -> str:
        return ICONS.get(self.kind, "warn" if self.missing else "plus")

    @property
    def css(self) -> str:
        names = {"sel": self.selected, "err": self.failed, "missing": self.missing}
        return " ".join(name for name, there in names.items() if there)


@dataclass(frozen=True)
class Cord:
    d: str
    kind: str
    pk: int | None = None
    selected: bool = False


@dataclass
class Board:
    sources: list[Source]
    targets: list[Target]
    cords: list[Cord] = field(default_factory=list)
    more_sources: int = 0
    more_targets: int = 0
    filled: int = 0

    @property
    def height(self) -> int:
        return ROW * max(len(self.sources), len(self.targets), 1)

    @property
    def missing(self) -> list[Target]:
        return [row for row in self.targets if row.missing]

    @property
    def more(self) -> int:
        return self.more_sources + self.more_targets


@dataclass(frozen=True)
class Shown:
    """What of a mapping is on the board: the row ids of its rules, the one that is open, the source that is held."""

    pks: Sequence[int | None] = ()
    selected: int | None = None
    held: str = ""
    everything: bool = False


def board(
    spec: MappingSpec, applied: Applied, sources: Sequence[Field], targets: Sequence[Field], what: Shown
) -> Board:
    """The board of a mapping as it was applied to a sample."""
    read = [reads(rule) for rule in spec.rules]
    all_sources = _with_read(sources, read)
    left = [_source(each, label, read, what) for each, label in zip(all_sources, labels(all_sources), strict=True)]
    kept = [row for place, row in enumerate(left) if what.everything or row.used or row.held or place < SOURCES]
    right = _targets(spec, applied, targets, what)
    filled = sum(row.rule is not None for row in right)
    most = len(right) if what.everything else max(TARGETS, filled + 4)
    found = Board(kept, right[:most], [], len(left) - len(kept), max(0, len(right) - most), filled)
    found.cords = _cords(found, read)
    return found


def reads(rule: RuleSpec) -> list[Parts]:
    """The paths that a rule takes its value from."""
    if rule.kind == "static":
        return []
    if rule.kind == "formula":
        return read_by(rule.source)
    if rule.kind == "template":
        return [path for piece in pieces(rule.source) if piece.start for path in read_by(piece.expression)]
    try:
        return [tuple(parts_of(rule.source))]
    except PathError:
        return []


def meets(field: Parts, path: Parts) -> bool:
    """Whether a path reads a field: one lies within the other."""
    shorter = min(len(field), len(path))
    return field[:shorter] == path[:shorter]


def _with_read(sources: Sequence[Field], read: list[list[Parts]]) -> list[Field]:
    """The fields, and below them what rules take as a whole from a path that no field has."""
    plain = {path for rule in read for path in rule if not any(meets(each.parts, path) for each in sources)}
    tops = {ANSWER, *(each.parts[0] for each in sources)}
    return [*sources, *(Field(path, ".".join(path), "not in sample") for path in sorted(plain) if path[0] in tops)]


def labels(all_of_them: Sequence[Field]) -> list[str]:
    """A short name for each field; where two would be called the same, the path."""
    count = Counter(each.label for each in all_of_them)
    return [each.label if count[each.label] == 1 else each.path for each in all_of_them]


def _source(each: Field, label: str, read: list[list[Parts]], what: Shown) -> Source:
    users = [number for number, paths in enumerate(read) if any(meets(each.parts, path) for path in paths)]
    return Source(each, label, bool(users), what.selected in users, bool(what.held) and each.path == what.held)


def _targets(spec: MappingSpec, applied: Applied, targets: Sequence[Field], what: Shown) -> list[Target]:
    """Filled ones in the order of their rules, then what is missing, then what could be filled."""
    known = {each.path: each for each in targets}
    filled = [known.get(rule.target) or _unknown(rule.target, spec.direction) for rule in spec.rules]
    taken = {rule.target for rule in spec.rules}
    within = {path for path, each in known.items() if each.open and any(name.startswith(f"{path}.") for name in taken)}
    free = [replace(each, required=each.required and each.path not in within) for each in targets]
    free = [each for each in free if each.path not in taken]
    free.sort(key=lambda each: not each.required)
    names = labels([*dict.fromkeys(filled), *free])
    named = dict(zip([*dict.fromkeys(filled), *free], names, strict=True))
    rows = [_target(spec, applied, number, each, named[each], what) for number, each in enumerate(filled)]
    return [*rows, *(Target(each, named[each], note="required" if each.required else _offer(each)) for each in free)]


def _unknown(path: str, direction: str) -> Field:
    return Field(tuple(path.split(".") if direction == FROM_HUB else path.split(".", 1)), path, "")


def _offer(each: Field) -> str:
    return each.sample or ("add a name" if each.kind == "names" else each.kind)


def _target(spec: MappingSpec, applied: Applied, number: int, row: Field, label: str, what: Shown) -> Target:
    rule = spec.rules[number]
    failed = any(problem.rule == number + 1 for problem in applied.problems)
    trace = applied.trace[number] if number < len(applied.trace) else None
    note = "has an error" if failed else shown(trace.after) if trace else ""
    pk = what.pks[number] if number < len(what.pks) else None
    return Target(row, label, rule, number, pk, number == what.selected, failed, note)


def _cords(found: Board, read: list[list[Parts]]) -> list[Cord]:
    """One for each pair of field and rule; those of the open rule come last, and so lie on top."""
    cords = [
        Cord(curve(left, right), row.kind, row.pk, row.selected)
        for right, row in enumerate(found.targets)
        if row.number is not None
        for left, source in enumerate(found.sources)
        if any(meets(source.field.parts, path) for path in read[row.number])
    ]
    return sorted(cords, key=lambda cord: cord.selected)


def curve(left: int, right: int) -> str:
    """From the middle of one row to the middle of another, hanging through as a cord does, the longer the more."""
    start, end = (row * ROW + ROW // 2 for row in (left, right))
    sag = 14 + round(abs(end - start) * 0.06)
    return f"M0 {start}C42 {start + sag} 58 {end + sag} 100 {end}"
