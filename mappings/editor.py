"""What the editor's page shows: the board, the rules, the rule in hand, and what all of them make of a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from mappings import fields, records, words
from mappings.apply import Applied, MappingSpec, Problem
from mappings.board import Board, board
from mappings.board import Shown as OnBoard
from mappings.choices import FROM_HUB
from mappings.fields import Field
from mappings.forms import RuleForm
from mappings.models import Mapping, Rule
from mappings.once import Once
from mappings.preview import Excerpt, SampleError, Shown, read_sample, show, with_draft, written_lines
from mappings.trying import Sample, chosen
from mappings.words import Word
from openai_api.catalogue import OPERATIONS
from ui.states import State


@dataclass(frozen=True)
class Row:
    """A rule in the table, and what it did with the sample."""

    rule: Rule
    state: State | None
    problem: Problem | None
    selected: bool


@dataclass
class Editor:
    """The page of one mapping. `form` is the rule in hand, if any; `number` is its place, from 0."""

    mapping: Mapping
    spec: MappingSpec
    sample: Sample
    form: RuleForm | None = None
    number: int | None = None
    held: str = ""
    everything: bool = False
    document: dict[str, Any] = field(default_factory=dict)
    shown: Shown | None = None
    sample_error: str = ""
    sources: list[Field] = field(default_factory=list)
    targets: list[Field] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    once: Once | None = None

    @property
    def rule(self) -> Rule | None:
        return self.form.instance if self.form is not None and self.form.instance.pk else None

    @property
    def path(self) -> str:
        """The address of the page in this state."""
        if self.form is None:
            return reverse("mappings:detail", args=[self.mapping.pk])
        if self.rule is None:
            return reverse("mappings:rule_new", args=[self.mapping.pk])
        return reverse("mappings:rule_edit", args=[self.mapping.pk, self.rule.pk])

    @property
    def request_line(self) -> str:
        known = OPERATIONS.get(self.spec.operation)
        return f"{known.method} {known.path}" if known else ""

    @property
    def board(self) -> Board:
        applied = self.shown.applied if self.shown else Applied()
        pks: list[int | None] = [rule.pk for rule in self.rules]
        on_board = OnBoard(pks, self.number, self.held, self.everything)
        return board(self.spec, applied, self.sources, self.targets, on_board)

    @property
    def rows(self) -> list[Row]:
        return [self._row(number, rule) for number, rule in enumerate(self.rules)]

    def _row(self, number: int, rule: Rule) -> Row:
        state, problem = None, None
        if self.shown is not None:
            state = self.shown.trace[number][1] if number < len(self.shown.trace) else None
            found = self.shown.problem_of(number)
            problem = found[0] if found else None
        return Row(rule, state, problem, number == self.number)

    @property
    def marked(self) -> range:
        """The lines of the preview that the rule in hand writes."""
        if self.shown is None or self.number is None:
            return range(0)
        return written_lines(self.shown.applied.body, self.spec.rules[self.number].target, self.spec.direction)

    @property
    def problem(self) -> tuple[Problem, Excerpt | None] | None:
        """What is wrong with the rule in hand, as far as its source is."""
        return self.shown.problem_of(self.number) if self.shown else None

    @property
    def field_words(self) -> list[Word]:
        return words.fields(self.sources)

    @property
    def functions(self) -> tuple[Word, ...]:
        return words.functions()

    @property
    def keep(self) -> str:
        """What links within the page carry on: the record that is shown, and whether all fields are."""
        kept = {"record": self.sample.key, "all": "1" if self.everything else ""}
        return urlencode({name: value for name, value in kept.items() if value})


def editor(mapping: Mapping, given: QueryDict, form: RuleForm | None = None) -> Editor:
    """The editor as a request asks for it: `record`, `sample`, `held`, `all`; with a rule in hand, as it stands in its form."""
    rules = list(mapping.rules.all())
    spec, number = mapping.spec(), None
    if form is not None:
        number = _place(rules, form.instance)
        draft = form.draft()
        # A new rule that names no source yet is nothing to complain of.
        if draft.target and (number is not None or draft.source.strip()):
            spec = with_draft(spec, number, draft)
            number = len(rules) if number is None else number
    made = Editor(mapping, spec, chosen(spec, given), form, number, given.get("held", ""), "all" in given, rules=rules)
    names = records.names(spec.entity)
    try:
        made.document = read_sample(made.sample.text)
        made.shown = show(spec, made.document)
    except SampleError as error:
        made.sample_error = str(error)
    made.sources = fields.sources(made.document, names, spec.direction, spec.model)
    sends = spec.direction == FROM_HUB
    made.targets = fields.request_targets(spec.operation, spec.model) if sends else fields.record_targets(names)
    if form is not None:
        form.offer_targets(made.targets)
    return made


def _place(rules: list[Rule], rule: Rule) -> int | None:
    """The place of a rule in its mapping, from 0; None for a new one."""
    return next((number for number, row in enumerate(rules) if row.pk == rule.pk), None) if rule.pk else None
