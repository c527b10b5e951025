"""The forms of a mapping's settings and of one rule. Expressions and paths are checked before they are saved."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from expressions.bounded import MAX_LENGTH, ExpressionError, check
from expressions.places import check_template
from mappings.apply import RuleSpec, record_target, value_of
from mappings.choices import DIRECTIONS, ENTITIES, EVENT, FROM_HUB, PROTECTIONS, TO_HUB
from mappings.models import Mapping, Rule
from mappings.paths import PathError, parts_of
from ui.forms import OptionCards, Picker

SOURCE_HELP = {
    FROM_HUB: "Field and lookup: a path such as fields.name, custom.tone, key or model. "
    "Static: JSON, or text as it stands. Formula: JSONata. Text with places: {{ fields.name }} stands for the name.",
    TO_HUB: "Field and lookup: a path such as text, answer.title, response.id, event.type or record.fields.name. A name under "
    "answer is asked for as structured output. Static: JSON, or text as it stands. Formula: JSONata.",
}
TARGET_HELP = {
    FROM_HUB: "A path in the request body, such as input, metadata.sku or reasoning.effort.",
    TO_HUB: "A field of the record: fields.NAME or custom.NAME.",
}


def expression(rows: int = 2) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "spellcheck": "false", "class": "mono", "maxlength": MAX_LENGTH})


def checked(source: str) -> str:
    """The expression itself; raises `ValidationError` with the place of its error."""
    if source.strip():
        try:
            check(source)
        except ExpressionError as error:
            raise forms.ValidationError(error.sentence) from None
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
        if data.get("sync_type") == "delete" and direction == FROM_HUB:
            self.add_error(
                "sync_type", "A push deletes nothing at OpenAI. Choose another type, or the direction To hub."
            )
        if data.get("operation") == EVENT and direction == FROM_HUB:
            self.add_error("operation", "Events come to the hub. Choose another operation, or the direction To hub.")
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
    """One rule. What is checked of the source depends on the kind, what of the target on the mapping's direction."""

    table = forms.CharField(
        required=False,
        label="Lookup table",
        widget=expression(4),
        help_text="A line each: value of the source = value to write. Used by the kind Lookup only.",
    )

    class Meta:
        model = Rule
        fields = ["kind", "target", "source", "value_type", "default", "required", "update_mode"]
        widgets = {"kind": forms.RadioSelect, "source": expression(4), "default": forms.TextInput}
        labels = {"default": "Default when empty"}
        help_texts = {
            "value_type": "What the source must give; anything else is an error. A name under answer is asked for as this."
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        direction = self.instance.mapping.direction
        self.fields["source"].help_text, self.fields["target"].help_text = (
            SOURCE_HELP[direction],
            TARGET_HELP[direction],
        )
        self.fields["source"].strip = self.fields["default"].strip = False  # type: ignore[attr-defined]  # text fields
        self.fields["source"].required = True
        self.fields["source"].error_messages["required"] = "A rule needs a source: a path, a value or a formula."
        self.initial.setdefault("table", written_table(dict(self.instance.lookup)))

    def clean_target(self) -> str:
        target = str(self.cleaned_data["target"])
        try:
            parts_of(target) if self.instance.mapping.direction == FROM_HUB else record_target(target)
        except PathError as error:
            raise forms.ValidationError(str(error)) from None
        return target

    def clean_table(self) -> dict[str, Any]:
        return read_table(self.cleaned_data["table"])

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        kind, source = data.get("kind"), data.get("source", "")
        try:
            if kind == "formula":
                check(source)
            elif kind == "template":
                check_template(source)
            elif kind in ("field", "lookup"):
                parts_of(source)
        except ExpressionError as error:
            self.add_error("source", error.sentence)
        except PathError as error:
            self.add_error("source", str(error))
        if kind == "lookup" and not data.get("table") and "table" not in self.errors:
            self.add_error("table", "A lookup needs at least one line. Write: value = value to write.")
        return data

    def values(self) -> dict[str, Any]:
        """The cleaned rule, as `mappings.actions.save_rule` takes it."""
        data = dict(self.cleaned_data)
        return data | {"lookup": [list(pair) for pair in data.pop("table").items()]}

    def draft(self) -> RuleSpec:
        """The rule as it was typed, valid or not: the preview shows what is wrong with it."""
        names = ("kind", "target", "source", "default", "update_mode", "value_type")
        given = {name: str(self.data.get(name, "")) for name in names}
        try:
            lookup = read_table(self.data.get("table", ""))
        except forms.ValidationError:
            lookup = {}
        return RuleSpec(**given, required="required" in self.data, lookup=lookup)


def read_table(text: str) -> dict[str, Any]:
    """Lines of `value = value to write`. Raises `ValidationError` naming the line."""
    table = {}
    for number, line in enumerate(text.splitlines(), start=1):
        source, equals, value = line.partition("=")
        if not line.strip():
            continue
        if not equals or not source.strip():
            raise forms.ValidationError(
                f"Line {number} has no “=” between two values. Write: tables/side = Side tables."
            )
        table[source.strip()] = value_of(value.strip())
    return table


def read_protection(text: str) -> list[list[str]]:
    """Lines of `field = what is done with it`. Raises `ValidationError` naming the line."""
    pairs = []
    for number, line in enumerate(filter(str.strip, text.splitlines()), start=1):
        path, _, mode = (part.strip() for part in line.rpartition("="))
        try:
            record_target(path)
        except PathError as error:
            raise forms.ValidationError(f"Line {number}: {error}") from None
        if mode.lower() not in PROTECTIONS:
            raise forms.ValidationError(
                f"Line {number}: “{mode}” is none of {', '.join(PROTECTIONS)}. Write one of them."
            )
        pairs.append([path, mode.lower()])
    return pairs


def written_table(table: dict[str, Any]) -> str:
    return "\n".join(f"{source} = {_written(value)}" for source, value in table.items())


def _written(value: Any) -> str:
    """As text where reading gives the same value again, else as JSON."""
    return value if isinstance(value, str) and value_of(value) == value else json.dumps(value, ensure_ascii=False)
