"""Mappings as one readable file: JSON with short things on one line, long texts as a list of their lines, and nothing that
goes without saying. `written` and `read` are each other's way back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from mappings import positions
from mappings.actions import MAPPING_FIELDS, RULE_FIELDS
from mappings.checks import expression_problem, protection_problem, rule_problems, settings_problems
from mappings.models import Mapping, Rule, column
from mappings.positions import NotJson, Path

FORMAT = "patchbay_mappings"
VERSION = 1
MOST = 5_000_000
LINE = 110
# Said even where they are what they would be without being said, so that a file can be read without knowing that.
ALWAYS = {"name", "entity", "direction", "operation", "kind", "target", "source"}
Values = dict[str, Any]
Directions = dict[str, str]
Kind = type[Mapping] | type[Rule]


@dataclass(frozen=True)
class Problem:
    """What is wrong in a file, and where."""

    line: int
    where: str
    message: str

    @property
    def sentence(self) -> str:
        return f"Line {self.line}, {self.where}: {self.message}" if self.where else f"Line {self.line}: {self.message}"


class FileError(ValueError):
    """A file that can't be used, with all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems[0].sentence)
        self.problems = problems


def written(installation: str, said: Iterable[Values]) -> str:
    """A file of these snapshots; the installation's name is there for people only."""
    mappings = [
        _short(Mapping, MAPPING_FIELDS, each) | {"rules": [_short(Rule, RULE_FIELDS, rule) for rule in each["rules"]]}
        for each in said
    ]
    return _pretty({FORMAT: VERSION, "installation": installation, "mappings": mappings}, 0) + "\n"


def read(text: str, directions: Directions | None = None) -> list[Values]:
    """The snapshots in a file. `directions` has those of the mappings that are there, by name. Raises `FileError`."""
    if len(text) > MOST:
        raise FileError([Problem(1, "", f"The file is larger than {MOST:,} characters. Split it.")])
    try:
        document, lines = positions.read(text.removeprefix("\ufeff"))
    except NotJson as error:
        raise FileError([Problem(error.line, "", str(error))]) from None
    reading = _Reading(lines, directions or {})
    said = reading.document(document)
    if reading.problems:
        raise FileError(sorted(reading.problems, key=lambda problem: problem.line))
    return said


def _short(kind: Kind, names: tuple[str, ...], values: Values) -> Values:
    fields = {name: column(kind, name) for name in names}
    return {
        name: _out(each, values[name]) for name, each in fields.items()
        if name in ALWAYS or values[name] != each.get_default()
    }  # fmt: skip


def _out(each: models.Field[Any, Any], value: Any) -> Any:
    if each.name == "lookup":
        return dict(value)
    return value.split("\n") if isinstance(each, models.TextField) and "\n" in value else value


def _pretty(value: Any, indent: int) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or (len(flat) + indent <= LINE and indent):
        return flat
    inner = indent + 2
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {_pretty(each, inner)}" for key, each in value.items()]
    else:
        parts = [_pretty(each, inner) for each in value]
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    gap = "\n" + " " * inner
    return f"{opened}{gap}{(',' + gap).join(parts)}\n{' ' * indent}{closed}"


@dataclass
class _Reading:
    """Reads what a file holds, and goes on where something is wrong, so that all of it is said at once."""

    lines: dict[Path, int]
    directions: Directions
    problems: list[Problem] = field(default_factory=list)

    def document(self, document: Any) -> list[Values]:
        if not isinstance(document, dict) or document.get(FORMAT) != VERSION:
            self.refuse((), f'This is no file of mappings. It begins with "{FORMAT}": {VERSION}, as an export does.')
            return []
        self.unknown((), document, (FORMAT, "installation", "mappings"))
        mappings = document.get("mappings")
        if not isinstance(mappings, list) or not mappings:
            self.refuse(("mappings",), "It has no list of mappings. Add one with at least one mapping.")
            return []
        said = [self.mapping(("mappings", number), each) for number, each in enumerate(mappings)]
        names = [each.get("name") for each in said]
        for number, name in enumerate(names):
            if name and name in names[:number]:
                self.refuse(("mappings", number, "name"), f"“{name}” stands in this file twice. Give one another name.")
        return said

    def mapping(self, path: Path, given: Any) -> Values:
        values = self.values(path, given, Mapping, MAPPING_FIELDS, extra=("rules",))
        if not values:
            return {}
        rules = given.get("rules", [])
        if not isinstance(rules, list):
            self.refuse((*path, "rules"), "The rules are no list. Put them in brackets.")
            rules = []
        found = {name: expression_problem(values[name]) for name in ("filter", "error_filter")}
        wrong = (protection_problem(*pair) for pair in values["protection"])
        found["protection"] = next(filter(None, wrong), "")
        found |= settings_problems(values["direction"], values["operation"], values["sync_type"])
        if self.directions.get(values["name"], values["direction"]) != values["direction"]:
            found["direction"] = "The mapping of this name goes the other way here. Give this one another name."
        self.refuse_all(path, found)
        return values | {
            "rules": [self.rule((*path, "rules", number), rule, values) for number, rule in enumerate(rules)]
        }

    def rule(self, path: Path, given: Any, mapping: Values) -> Values:
        values = self.values(path, given, Rule, RULE_FIELDS)
        if values:
            self.refuse_all(path, rule_problems(mapping["direction"], values))
        return values

    def values(self, path: Path, given: Any, kind: Kind, names: tuple[str, ...], extra: tuple[str, ...] = ()) -> Values:
        """What is said of a mapping or a rule, with what goes without saying; empty where it is of no use."""
        if not isinstance(given, dict):
            self.refuse(path, "This is no object. Put it in braces.")
            return {}
        self.unknown(path, given, (*names, *extra))
        before, values = len(self.problems), {}
        for name in names:
            try:
                values[name] = _in(kind, name, given)
            except ValueError as error:
                self.refuse((*path, name), str(error))
        if len(self.problems) == before:
            try:
                kind(**values).clean_fields(exclude=set(_others(kind, names)))
            except ValidationError as error:
                self.refuse_all(path, {name: " ".join(said) for name, said in error.message_dict.items()})
        return values if len(self.problems) == before else {}

    def unknown(self, path: Path, given: Values, known: tuple[str, ...]) -> None:
        for name in given.keys() - set(known):
            self.refuse((*path, name), f"There is no such field. Fields here: {', '.join(known)}.")

    def refuse_all(self, path: Path, problems: dict[str, str]) -> None:
        for name, sentence in problems.items():
            if sentence:
                self.refuse((*path, name), sentence)

    def refuse(self, path: Path, message: str) -> None:
        """What is missing is said of the line where its object begins."""
        line = self.lines.get(path) or self.lines.get(path[:-1], 1)
        self.problems.append(Problem(line, _where(path), message))


def _others(kind: Kind, names: tuple[str, ...]) -> Iterator[str]:
    return (each.name for each in kind._meta.concrete_fields if each.name not in names)


def _in(kind: Kind, name: str, given: Values) -> Any:
    """The value of a field as the database keeps it. Raises ValueError."""
    each = column(kind, name)
    if name not in given:
        if each.has_default() or each.blank:
            return each.get_default()
        raise ValueError("It is missing. Add it.")
    value = given[name]
    if name == "lookup":
        if not isinstance(value, dict):
            raise ValueError("A lookup table is an object: what is looked for, and what is written.")
        value = [[key, written] for key, written in value.items()]
    elif name == "protection":
        _must(_are_pairs(value), "Write a list of pairs: a field, and what is done with it.")
    elif isinstance(each, models.BooleanField):
        _must(isinstance(value, bool), "Write true or false.")
    elif isinstance(each, models.IntegerField):
        _must(isinstance(value, int) and not isinstance(value, bool), "Write a whole number.")
    elif isinstance(each, models.TextField) and isinstance(value, list):
        _must(all(isinstance(line, str) for line in value), "Its lines are texts. Put each in quotes.")
        value = "\n".join(value)
    elif isinstance(each, models.CharField | models.TextField):
        _must(isinstance(value, str), "This is no text. Put it in quotes.")
    if each.choices:
        known = [choice for choice, _ in each.flatchoices]
        _must(value in known, f"This is none of {', '.join(known)}.")
    _must(_storable(value), "It holds a character that can't be kept. Take it out.")
    return value


def _are_pairs(value: Any) -> bool:
    pairs = value if isinstance(value, list) else [None]
    return all(isinstance(pair, list) and [type(part) for part in pair] == [str, str] for pair in pairs)


def _must(right: bool, sentence: str) -> None:
    if not right:
        raise ValueError(sentence)


def _storable(value: Any) -> bool:
    """Without the zero character and halves of pairs, which PostgreSQL and UTF-8 have no place for."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)
    if isinstance(value, float):
        return math.isfinite(value)
    parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return all(_storable(part) for part in parts)


def _where(path: Path) -> str:
    """`mapping 2, rule 1, source`."""
    words: list[str] = []
    for part in path:
        if isinstance(part, int):
            words[-1] = f"{words[-1].removesuffix('s')} {part + 1}"
        else:
            words.append(part)
    return ", ".join(words)
