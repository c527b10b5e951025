"""The part of a form that keeps it as a preset: under which name, and which version the form began as."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.http import HttpRequest

from accounts.actors import actor_of
from connections.models import Installation
from logs import redaction
from operations import actions
from operations.asking import Asked
from operations.models import Preset, PresetVersion
from operations.places import has_places
from ui.ids import id_in

# Characters of a version as JSON. What is larger has files in it, and files belong at OpenAI.
MOST = 400_000
DEEPEST = 60
ONE_LINE = {"rows": 1, "class": "op-line"}


class NameForm(forms.Form):
    """What a preset is called."""

    name = forms.CharField(label="Preset name", max_length=120)

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())


class PresetForm(NameForm):
    """Name and note. Both are areas of one line: the Enter key of a text box would send the request that stands above."""

    name = forms.CharField(label="Preset name", max_length=120, widget=forms.Textarea(attrs=ONE_LINE))
    note = forms.CharField(
        label="Note",
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs=ONE_LINE),
        help_text="What changed, and why.",
    )

    def clean_note(self) -> str:
        return " ".join(self.cleaned_data["note"].split())


@dataclass
class Saving:
    """`version` is what the form began as, None for an empty form; `preset` the preset of that version, if it is still there."""

    installation: Installation
    version: PresetVersion | None
    preset: Preset | None
    form: PresetForm
    may: bool

    @classmethod
    def of(cls, request: HttpRequest, installation: Installation, may: bool, operation: str = "") -> Saving:
        """From what was posted, else from `?preset=`; a version of another form or installation counts as none."""
        wanted = id_in(request.POST.get("preset", "") or request.GET.get("preset", ""))
        version = PresetVersion.objects.filter(pk=wanted, installation_id=installation.pk).first() if wanted else None
        if version is not None and (version.operation.id if version.operation else "") != operation:
            version = None
        preset = Preset.objects.filter(pk=version.preset_id).first() if version else None
        name = preset.name if preset else version.preset_name if version else ""
        posted = {key: request.POST.get(f"preset-{key}", "") for key in ("name", "note")}
        began = posted if "preset-name" in request.POST else {"name": name}
        saves = request.POST.get("do") == "save"
        form = PresetForm(request.POST if saves else None, prefix="preset", initial=began)
        form.fields["name"].help_text = "Another name makes another preset." if preset else ""
        return cls(installation, version, preset, form, may)

    @property
    def files(self) -> list[str]:
        """The names of the files that it was saved with, which have to be chosen again."""
        return [part["name"] or part["field"] for part in self.version.asked["files"]] if self.version else []

    @property
    def files_again(self) -> str:
        return f"Choose {', '.join(f'“{name}”' for name in self.files)} again before you send it."

    @property
    def has_places(self) -> bool:
        return self.version is not None and has_places(self.version.request)

    def marked(self, asked: Asked) -> Asked:
        """The request that is about to be sent, which names the version if it is what the version says."""
        return self.version.mark(asked) if self.version else asked

    def with_files(self, asked: Asked) -> Asked:
        """The request with the files that the version had: they were not chosen again, and need not be until it is sent."""
        if self.version is None or asked.body is not None:
            return asked
        chosen = {part.field for part in asked.files}
        kept = [part for part in self.version.request.files if part.field not in chosen]
        return replace(asked, files=(*asked.files, *kept))

    def save(self, request: HttpRequest, asked: Asked) -> tuple[PresetVersion, bool] | None:
        """The version, and whether it is new. None where it cannot be kept; the form says why."""
        problem = _problem(asked)
        if problem:
            self.form.add_error("name", problem)
        if not self.form.is_valid():
            return None
        actor, name, note = actor_of(request), self.form.cleaned_data["name"], self.form.cleaned_data["note"]
        try:
            if self.preset is not None and self.preset.name == name:
                return actions.save_version(actor, self.preset, asked, note)
            return actions.create_preset(actor, self.installation, name, asked, note), True
        except actions.NameTaken as taken:
            self.form.add_error("name", str(taken))
        except Preset.DoesNotExist:
            self.form.add_error("name", "This preset was deleted meanwhile. Save once more to make a new one.")
        return None


def _deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(part, levels - 1) for part in parts)


def _problem(asked: Asked) -> str:
    text = json.dumps(asked.to_json(), ensure_ascii=False)
    if len(text) > MOST:
        return "This is too large for a preset. Put files at OpenAI with Upload file, and name them by their IDs."
    if _deeper(asked.body, DEEPEST):
        return f"This is nested more than {DEEPEST} deep. A preset can't be shown and compared like that: flatten it."
    if redaction.clean(text) != text:
        return "This holds what looks like a key, and a preset can be read by everybody here. Take it out, then save."
    return ""
