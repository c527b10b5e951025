"""Forms of the hub: a record by its entity's fields, a push, a pull."""

from __future__ import annotations

from typing import Any

from django import forms

from connections.models import Installation
from flows.models import Entity, Flow, Record, Run
from flows.presets import flow_problem
from flows.starting import SOURCES
from mappings.choices import FROM_HUB
from mappings.models import Mapping
from operations.models import Preset
from ui.forms import OptionCards

WHICH = [("all", "All records"), ("keys", "Chosen records")]


class RecordForm(forms.Form):
    """One field for each field of the entity; the key can be given only to a new record."""

    key = forms.CharField(
        max_length=200, label="Key", help_text="Names the record for good, such as an article or customer number."
    )

    def __init__(self, entity: Entity, record: Record | None, *args: Any, **kwargs: Any) -> None:
        self.entity, self.record = entity, record
        values = record.fields if record else {}
        kwargs.setdefault("initial", {f"f{number}": values.get(f["name"]) for number, f in enumerate(entity.fields)})
        super().__init__(*args, **kwargs)
        if record:
            del self.fields["key"]
        for number, spec in enumerate(entity.fields):
            widget = forms.Textarea(attrs={"rows": 4}) if spec.get("long") else forms.TextInput()
            self.fields[f"f{number}"] = forms.CharField(label=spec["label"], required=False, widget=widget)

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"].strip()
        if Record.objects.filter(entity=self.entity, key=key).exists():
            raise forms.ValidationError(
                f"{self.entity.name} {key} is there already. Enter another key, or edit that record."
            )
        return key

    def values(self) -> dict[str, Any]:
        """Field name → what was typed; what stayed as it was keeps its type."""
        before = self.record.fields if self.record else {}
        typed = {spec["name"]: self.cleaned_data[f"f{number}"] for number, spec in enumerate(self.entity.fields)}
        return {
            name: before[name] if name in before and str(before[name]) == value else value
            for name, value in typed.items()
            if value or name in before
        }


class PushForm(forms.Form):
    """What to push, through which installation, and how."""

    entity = forms.ModelChoiceField(Entity.objects.all(), to_field_name="name", empty_label=None, label="Entity")
    which = forms.ChoiceField(choices=WHICH, initial="keys", label="Records")
    keys = forms.CharField(
        required=False, label="Keys", widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One key a line. Used for chosen records only.",
    )  # fmt: skip
    installation = forms.ModelChoiceField(Installation.objects.all(), empty_label=None, label="Installation")
    mode = forms.ChoiceField(
        choices=Run.MODES,
        initial="sync",
        label="Mode",
        widget=OptionCards(
            {
                "sync": "Each call stays open until its answer comes. Simple, and best for quick answers.",
                "background": "OpenAI works on its own and tells by webhook when an answer is ready.",
            }
        ),
    )
    repeat_unknown = forms.BooleanField(
        required=False,
        label="Send again when an outcome is unknown",
        help_text="A call that was cut off may have been paid. With this it is sent again without asking.",
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if entity := values.get("entity"):
            self._choose(values, entity)
        return values

    def _choose(self, values: dict[str, Any], entity: Entity) -> None:
        records = Record.objects.filter(entity=entity).order_by("pk")
        if values.get("which") == "keys":
            keys = list(dict.fromkeys(values.get("keys", "").split("\n")))
            wanted = [key.strip() for key in keys if key.strip()]
            records = records.filter(key__in=wanted)
            missing = set(wanted) - set(records.values_list("key", flat=True))
            if missing:
                self.add_error("keys", f"No {entity.name} has the key {', '.join(sorted(missing)[:5])}. Correct it.")
            elif not wanted:
                self.add_error("keys", "No record is chosen. Enter at least one key, or choose all records.")
        values["records"] = records


class FlowForm(forms.Form):
    """Which mapping is put to work, and when."""

    mapping = forms.ModelChoiceField(
        Mapping.objects.filter(direction=FROM_HUB).select_related("installation"),
        empty_label=None,
        label="Mapping",
        error_messages={"invalid_choice": "This one can't be put to work. Choose a mapping from the hub."},
        help_text="Only mappings from the hub can be put to work. Those to the hub are applied to each answer.",
    )
    preset = forms.ModelChoiceField(
        Preset.objects.select_related("installation").order_by("installation__name", "name"),
        required=False,
        empty_label="None: send what the mapping makes",
        label="Preset",
        help_text="Sent for each record in place of what the mapping makes, its places filled from the record. The mapping's "
        "filters still say which records are sent.",
    )
    trigger = forms.ChoiceField(
        choices=Flow.TRIGGERS,
        initial="on_change",
        label="Trigger",
        widget=OptionCards(
            {
                "manual": "A person presses Run, and every record of the entity is pushed.",
                "on_change": "Each record that a person or a system changes is pushed at once. Each push is paid.",
            }
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mapping: Any = self.fields["mapping"]
        mapping.label_from_instance = lambda row: f"{row.installation}: {row.name} ({row.entity})"
        preset: Any = self.fields["preset"]
        preset.label_from_instance = lambda row: f"{row.installation}: {row.name}"

    def clean_preset(self) -> Preset | None:
        preset: Preset | None = self.cleaned_data["preset"]
        if preset and (problem := flow_problem(preset.current().request)):
            raise forms.ValidationError(problem)
        return preset

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        mapping, preset = values.get("mapping"), values.get("preset")
        if mapping and preset and mapping.installation_id != preset.installation_id:
            self.add_error("preset", f"It belongs to another installation. Choose one of {mapping.installation}.")
        same = Flow.objects.filter(sample_only=False, mapping=mapping, trigger=values.get("trigger"), preset=preset)
        if mapping and same.exists():
            self.add_error("mapping", "A flow does this already. Two would pay each push twice: switch that one on.")
        return values


class PullForm(forms.Form):
    installation = forms.ModelChoiceField(Installation.objects.all(), empty_label=None, label="Installation")
    source = forms.ChoiceField(
        choices=[(name, name.capitalize()) for name in SOURCES],
        initial="models",
        label="What to pull",
        widget=OptionCards(
            {
                "models": "The models that the account offers, into Model records.",
                "files": "The files that stand at OpenAI, into File records.",
                "responses": "The newest responses that this installation asked for, into Message records.",
            }
        ),
    )
