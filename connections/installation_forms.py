"""The forms of installations: each step of the guided form, and all of them at once for commands and for Apply."""

from __future__ import annotations

from itertools import chain, count
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from connections.fields import SigningSecretField, WholeNumber
from connections.forms import Named, one_line
from connections.models import CONNECTOR, CONNECTOR_VERSION, Connection, Installation
from ui.forms import OptionCards, Picker

SUGGESTED_NAME = "OpenAI - Production"
OTHER_NAMES = ("OpenAI - Staging", "OpenAI - Test")
# Requests in one window. The seconds are left alone: a preset says how much, not over how long.
PRESETS = {"initial": 5, "ongoing": 500, "high": 500}
MOST_REQUESTS, MOST_DEADLINE = 1_000_000, 3_600


def free_name() -> str:
    """A name to propose that no installation has."""
    numbered = (f"{SUGGESTED_NAME} {number}" for number in count(2))
    names = chain([SUGGESTED_NAME, *OTHER_NAMES], numbered)
    return next(name for name in names if not Installation.objects.taken(name))


class SigningSecretForm(forms.Form):
    secret = SigningSecretField(
        label="Signing secret",
        help_text="Begins with whsec_. Stored encrypted, never shown again.",
        error_messages={"required": "This is empty. Paste the signing secret that OpenAI showed after Create."},
    )


class NameForm(Named):
    table = Installation

    name = forms.CharField(
        max_length=120,
        initial=free_name,
        help_text="Product, a dash, then environment or purpose: [Product] - [Environment/Purpose]. "
        "It stands in the log beside every call.",
        error_messages={"required": f"An installation needs a name. A usual one is “{SUGGESTED_NAME}”."},
    )
    version = forms.ChoiceField(
        choices=[(CONNECTOR_VERSION, f"{CONNECTOR} {CONNECTOR_VERSION}")],
        initial=CONNECTOR_VERSION,
        required=False,
        help_text="Which connector talks to OpenAI. There is one so far.",
    )

    def clean_version(self) -> str:
        return self.cleaned_data["version"] or CONNECTOR_VERSION

    def hint(self) -> str:
        """A remark on a name that is allowed and yet says little; empty for a good one."""
        name = str(self["name"].value() or "")
        if not name.strip() or " - " in name or " – " in name:
            return ""
        return f"“{one_line(name)}” does not say which environment or purpose it is for. “{SUGGESTED_NAME}” does."


class ModelForm(forms.Form):
    model = forms.CharField(
        label="OpenAI model",
        max_length=120,
        help_text="The model that mappings use unless they name another. Pick one of the account's or type any name.",
        error_messages={"required": "An installation needs a model. Pick one of the list or type its name."},
    )

    def __init__(self, *args: Any, options: list[tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attrs = {"autocomplete": "off", "spellcheck": "false", "class": "mono"}
        self.fields["model"].widget = Picker(options or [], attrs=attrs)

    def clean_model(self) -> str:
        model: str = self.cleaned_data["model"]
        if len(model.split()) != 1:
            raise ValidationError("A model's name has no spaces. Enter one name, such as gpt-6-luna.")
        return model


class ThrottleForm(forms.Form):
    """The limits of an installation. The upper bounds are the operator's settings, read when the form is made."""

    preset = forms.ChoiceField(
        required=False,
        initial="ongoing",
        choices=[("initial", "Initial setup"), ("ongoing", "Ongoing"), ("high", "High volume")],
        widget=OptionCards(
            {name: f"{limit} requests a window" for name, limit in PRESETS.items()},
            fills={name: {"throttle_limit": limit} for name, limit in PRESETS.items()},
        ),
        help_text="Start with Initial setup until verification has passed. A preset only fills in the limit below.",
    )
    excess = forms.ChoiceField(
        label="When a limit is reached",
        initial="wait",
        choices=Installation.EXCESS,
        widget=OptionCards(
            {
                "wait": "First in, first out. Given up after the deadline.",
                "reject": "The caller is told which limit it was and when to return.",
            }
        ),
        error_messages={"required": "Choose what happens to a call over the limit."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        numbers = {
            "throttle_limit": WholeNumber(
                1,
                MOST_REQUESTS,
                "one window may hold",
                label="API throttle limit",
                initial=PRESETS["ongoing"],
                help_text="Most requests in one window, from all people and flows together.",
            ),
            "throttle_seconds": WholeNumber(
                1,
                settings.MAX_THROTTLE_SECONDS,
                "a window may last",
                label="API throttle seconds",
                initial=settings.MAX_THROTTLE_SECONDS if settings.MAX_THROTTLE_SECONDS < 60 else 60,
                help_text="How long a window is. It slides: at no moment do the last seconds hold more than the limit.",
            ),
            "concurrent_connections": WholeNumber(
                1,
                settings.MAX_CONCURRENT_CONNECTIONS,
                "may be open at once",
                label="Concurrent connections",
                initial=min(5, settings.MAX_CONCURRENT_CONNECTIONS),
                help_text="Calls open at the same moment. A stopped process gives its places back.",
            ),
            "concurrent_batches": WholeNumber(
                1,
                settings.MAX_CONCURRENT_BATCHES,
                "may run at once",
                label="Concurrent batch executions",
                initial=min(5, settings.MAX_CONCURRENT_BATCHES),
                help_text="Runs that may work through records at the same moment.",
            ),
            "deadline_seconds": WholeNumber(
                1,
                MOST_DEADLINE,
                "a call may wait in line",
                label="Deadline",
                initial=120,
                help_text="A call that waited this long is given up, unsent.",
            ),
        }
        self.fields.update(numbers)


class MappingsForm(forms.Form):
    default_mappings = forms.BooleanField(
        label="Create default mappings (recommended)",
        required=False,
        initial=True,
        help_text="Rules for Product, Customer and Message in both directions, with sample records to try them on. "
        "Without them you make every mapping yourself.",
    )


class InstallationForm(NameForm, ModelForm, ThrottleForm, MappingsForm):
    """The whole installation at once, as the command line gives it and as Apply checks it."""

    def fields_of_installation(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "preset"}


class InstallationEditForm(NameForm, ModelForm, ThrottleForm):
    """Changes to an installation. They hold from the next call on."""

    connection = forms.ModelChoiceField(
        Connection.objects.all(),
        empty_label=None,
        help_text="The installation calls with this connection's key from the next call on.",
        error_messages={"required": "An installation needs a connection. Choose one."},
    )
    field_order = ["name", "version", "connection", "model"]

    def __init__(self, *args: Any, installation: Installation, **kwargs: Any) -> None:
        names = ["name", "version", "connection", "model", "throttle_limit", "throttle_seconds", "deadline_seconds"]
        names += ["concurrent_connections", "concurrent_batches", "excess"]
        initial = {name: getattr(installation, name) for name in names} | {"preset": None}
        super().__init__(*args, keep=installation.pk, initial=initial, **kwargs)

    def fields_of_installation(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "preset"}
