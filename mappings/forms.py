"""The forms of a mapping's settings and of one rule. Expressions and paths are checked before they are saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from expressions.bounded import MAX_LENGTH
from mappings import tables
from mappings.apply import RuleSpec
from mappings.checks import expression_problem, protection_problem, settings_problems, source_problem, target_problem
from mappings.choices import DIRECTIONS, ENTITIES, FROM_HUB, TO_HUB
from mappings.fields import Field
from mappings.models import Mapping, MappingVersion, Rule
from ui.forms import OptionCards, Picker

NOTE = MappingVersion._meta.get_field("note").max_length
SOURCE_HELP = {
    FROM_HUB: "Field and lookup: a path such as fields.name, custom.tone, key or model. "
    "Static: JSON, or text as it stands. Formula: JSONata. Template: text in which {{ fields.name }} stands for the name.",
    TO_HUB: "Field and lookup: a path such as text, answer.title, response.id, event.type or record.fields.name. A name under "
    "answer is asked for as structured output. Static: JSON, or text as it stands. Formula: JSONata.",
}
TARGET_HELP = {
    FROM_HUB: "A path in the request body, such as input, metadata.sku or reasoning.effort.",
    TO_HUB: "A field of the record: fields.NAME or custom.NAME.",
}


def note_in(posted: QueryDict) -> str:
    """What somebody wrote about a change, in one line, as long as a version keeps it."""
    return " ".join(posted.get("note", "").split())[:NOTE]


def expression(rows: int = 2) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "spellcheck": "false", "class": "mono", "maxlength": MAX_LENGTH})


def checked(source: str) -> str:
    """The expression itself; raises `ValidationError` with the place of its error."""
    if problem := expression_problem(source):
        raise forms.ValidationError(problem)
    return source


class MappingForm(forms.ModelForm[Mapping]):
    """A mapping's settings; installation and direction are chosen once."""

    protected = forms.CharField(
        required=False,
        label="Protected fields",
        widget=expression(3),
        help_text="A line each: fields.email = never send, masked, “masked, put back”, or never log. A field may have two lines. "
        "A masked value is sent as [EMAIL_1]; put back, the answer has the value again. From hub only.",
    )
    field_order = [
        "installation",
        "name",
        "description",
        "direction",
        "entity",
        "operation",
        "task",
        "sync_type",
        "filter",
        "error_filter",
        "protected",
        "order",
        "active",
    ]

    class Meta:
        model = Mapping
        fields = [
            "name",
            "description",
            "entity",
            "operation",
            "task",
            "sync_type",
            "filter",
            "error_filter",
            "order",
            "active",
        ]
        widgets = {
            "entity": Picker([(name, name) for name in ENTITIES]),
            "filter": expression(),
            "error_filter": expression(),
        }
        help_texts = {
            "entity": "Product, Customer, Message, or an entity of your own.",
            "task": "A word that ties the two directions together, such as “Product title”: answers to requests of a task are "
            "taken by mappings of the same task. Leave it empty where there is one pair only.",
            "sync_type": "To hub: whether records are made, changed, or marked as deleted. From hub: Add sends a record the first "
            "time only, Update only what the installation has sent before.",
            "filter": "JSONata. Records for which it is not true are left out.",
            "error_filter": "JSONata. Records for which it is true are refused, with an error in the log.",
            "order": "Where several mappings fit, the lowest number goes first.",
            "active": "An inactive mapping is kept and not used.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("protected", "\n".join(f"{path} = {mode}" for path, mode in self.instance.protection))

    def clean_protected(self) -> list[list[str]]:
        return read_protection(self.cleaned_data["protected"])

    def clean_filter(self) -> str:
        return checked(self.cleaned_data["filter"])

    def clean_error_filter(self) -> str:
        return checked(self.cleaned_data["error_filter"])

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        direction = data.get("direction", self.instance.direction)
        for name, problem in settings_problems(direction, data.get("operation"), data.get("sync_type")).items():
            self.add_error(name, problem)
        installation = data.get("installation") or (self.instance.installation if self.instance.pk else None)
        others = Mapping.objects.filter(installation=installation, name=data.get("name")).exclude(pk=self.instance.pk)
        if installation and others.exists():
            self.add_error("name", f"{installation} already has a mapping of this name. Choose another one.")
        return data

    def values(self) -> dict[str, Any]:
        """The cleaned settings, as `mappings.actions.change_mapping` takes them."""
        data = dict(self.cleaned_data)
        return data | {"protection": data.pop("protected")}

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # of Django's own
        self.instance.protection = self.cleaned_data.get("protected", self.instance.protection)


class NewMappingForm(MappingForm):
    direction = forms.ChoiceField(
        choices=DIRECTIONS,
        widget=OptionCards(
            {FROM_HUB: "A record becomes a request to OpenAI.", TO_HUB: "An answer or event becomes a record."}
        ),
    )

    class Meta(MappingForm.Meta):
        fields = ["installation", "direction", *MappingForm.Meta.fields]


class RuleForm(forms.ModelForm[Rule]):
    """One rule. What is checked of the source depends on the kind, what of the target on the mapping's direction.

    The lines of the lookup table are not fields: they come as `table_from` and `table_to`, as many as there are.
    """

    class Meta:
        model = Rule
        fields = ["kind", "target", "source", "value_type", "default", "required", "update_mode"]
        widgets = {
            "kind": forms.RadioSelect,
            "target": Picker(attrs={"autocomplete": "off", "spellcheck": "false"}),
            "source": expression(4),
            "default": forms.TextInput,
        }
        labels = {"default": "Default when empty"}
        help_texts = {"value_type": "Anything else is an error."}

    table_error = csv_error = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        direction = self.instance.mapping.direction
        self.fields["source"].help_text, self.fields["target"].help_text = (
            SOURCE_HELP[direction],
            TARGET_HELP[direction],
        )
        self.fields["source"].strip = self.fields["default"].strip = False  # type: ignore[attr-defined]  # text fields
        self.fields["source"].required = True
        self.fields["source"].widget.attrs |= {
            "class": "input mono",
            "aria-describedby": "id_source-e id_source-h",
            "data-complete": "words",
        }
        self.fields["source"].error_messages["required"] = "A rule needs a source: a path, a value or a formula."

    def offer_targets(self, targets: Sequence[Field]) -> None:
        widget: Any = self.fields["target"].widget
        widget.options = [(each.path, each.kind) for each in targets]

    def clean_target(self) -> str:
        target = str(self.cleaned_data["target"])
        if problem := target_problem(self.instance.mapping.direction, target):
            raise forms.ValidationError(problem)
        return target

    @property
    def lines(self) -> list[tables.Line]:
        """The lookup table as it was typed, with a blank line to go on."""
        typed = self.typed_lines()
        return typed if typed and not any(typed[-1]) else [*typed, ("", "")]

    def typed_lines(self) -> list[tables.Line]:
        if not self.is_bound:
            return tables.lines_of(dict(self.initial.get("lookup", self.instance.lookup)))
        data: Any = self.data  # a QueryDict: the lines come under one name
        return list(zip(data.getlist("table_from"), data.getlist("table_to"), strict=False))

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        kind, source = data.get("kind"), data.get("source", "")
        if problem := source_problem(kind, source):
            self.add_error("source", problem)
        self.table_error = ""
        try:
            data["lookup"] = tables.read(self.typed_lines())
            if kind == "lookup" and not data["lookup"]:
                self._refuse_table("A lookup needs at least one line: a value to look for, and what to write.")
        except tables.TableError as error:
            self._refuse_table(str(error))
        return data

    def _refuse_table(self, sentence: str) -> None:
        self.table_error = sentence
        self.add_error(None, f"Lookup table: {sentence}")

    def values(self) -> dict[str, Any]:
        """The cleaned rule, as `mappings.actions.save_rule` takes it."""
        return self.cleaned_data | {"lookup": [list(pair) for pair in self.cleaned_data["lookup"].items()]}

    def draft(self) -> RuleSpec:
        """The rule as it stands in the form, valid or not: the preview shows what is wrong with it."""
        names = ("kind", "target", "source", "default", "update_mode", "value_type")
        try:
            lookup = tables.read(self.typed_lines())
        except tables.TableError:
            lookup = {}
        given = {name: str(self[name].value() or "") for name in names}
        required, active = bool(self["required"].value()), self.instance.active
        return RuleSpec(**given, required=required, lookup=lookup, active=active)


def read_protection(text: str) -> list[list[str]]:
    """Lines of `field = what is done with it`. Raises `ValidationError` naming the line."""
    pairs = []
    for number, line in enumerate(filter(str.strip, text.splitlines()), start=1):
        path, _, mode = (part.strip() for part in line.rpartition("="))
        if problem := protection_problem(path, mode.lower()):
            raise forms.ValidationError(f"Line {number}: {problem}")
        pairs.append([path, mode.lower()])
    return pairs
