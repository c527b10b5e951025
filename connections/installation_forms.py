"""The forms of installations: each step of the guided form, and all of them at once for commands and for Apply."""

from __future__ import annotations

from decimal import Decimal
from itertools import chain, count
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string

from connections.fields import Amount, SigningSecretField, WholeNumber
from connections.forms import Named, one_line
from connections.models import CONNECTOR, CONNECTOR_VERSION, Connection, Installation
from ui.forms import OptionCards, Picker

SUGGESTED_NAME = "OpenAI - Production"
OTHER_NAMES = ("OpenAI - Staging", "OpenAI - Test")
# Requests in one window. The seconds are left alone: a preset says how much, not over how long.
PRESETS = {"initial": 5, "ongoing": 500, "high": 500}
MOST_REQUESTS, MOST_DEADLINE = 1_000_000, 3_600
TASK = "task_"  # begins the names of fields that choose tasks
MOST_TOKENS, MOST_DOLLARS = 100_000_000_000, "1000000"


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


class MoreLimits(forms.Form):
    """Limits that most installations leave as they are. Each may be left empty, so that whoever does not know it need not."""

    window_mode = forms.ChoiceField(
        label="A call counts in the window",
        required=False,
        initial="strict",
        choices=Installation.WINDOW,
        widget=OptionCards(
            {
                "strict": "And one window more. OpenAI never counts more than the limit, however long a call travels.",
                "sent": "Lets more through when answers take long. Right if OpenAI refuses next to nothing.",
            }
        ),
    )
    tokens_per_minute = WholeNumber(
        1,
        MOST_TOKENS,
        "a minute may hold",
        required=False,
        label="Tokens a minute",
        help_text="Counted as expected before a call is sent, and as used after it. Empty is no limit.",
    )
    day_dollars = Amount("0.01", MOST_DOLLARS, "dollars", label="Budget of a day", help_text="Empty is no limit.")
    month_dollars = Amount("0.01", MOST_DOLLARS, "dollars", label="Budget of a month", help_text="Empty is no limit.")
    day_tokens = WholeNumber(
        1, MOST_TOKENS, "a day may hold", required=False, label="Tokens of a day", help_text="Empty is no limit."
    )
    month_tokens = WholeNumber(
        1, MOST_TOKENS, "a month may hold", required=False, label="Tokens of a month", help_text="Empty is no limit."
    )
    warn_percent = WholeNumber(
        1,
        100,
        "a whole budget",
        required=False,
        if_empty=80,
        initial=80,
        label="Warn from",
        help_text="From this share of a budget on, the installation shows a warning. At 100 % its calls are stopped. "
        "Days and months end at midnight UTC.",
    )
    retry_count = WholeNumber(
        0,
        10,
        "a call is tried again",
        required=False,
        if_empty=2,
        initial=2,
        label="Tries after the first",
        help_text="For calls that say nothing else. Programs at the proxy say it themselves, and then wait as is set here.",
    )
    retry_wait = forms.ChoiceField(
        label="Wait between tries",
        required=False,
        initial="backoff",
        choices=Installation.RETRY_WAIT,
        widget=OptionCards(
            {
                "backoff": "Twice as long each time, up to the longest wait, and a little shorter by chance.",
                "fixed": "The first wait, every time.",
            }
        ),
        help_text="Where OpenAI says how long to wait, its word counts instead.",
    )
    retry_delay = Amount("0", "120", "seconds", if_empty=Decimal("0.5"), initial="0.5", label="First wait")
    retry_cap = Amount("0", "120", "seconds", if_empty=Decimal(60), initial="60", label="Longest wait")
    retry_all = forms.BooleanField(
        label="Try again on all errors",
        required=False,
        help_text="Also what is usually lasting. Never a wrong request, a refused key, an empty account, or what OpenAI may "
        "have carried out.",
    )

    def clean_window_mode(self) -> str:
        return self.cleaned_data["window_mode"] or "strict"

    def clean_retry_wait(self) -> str:
        return self.cleaned_data["retry_wait"] or "backoff"

    def clean_retry_delay(self) -> float:
        return float(self.cleaned_data["retry_delay"])

    def clean_retry_cap(self) -> float:
        return float(self.cleaned_data["retry_cap"])


MORE = tuple(MoreLimits.base_fields)


class ThrottleForm(MoreLimits):
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

    @property
    def sets_more(self) -> bool:
        """Whether any of MORE is wrong, or other than the form proposes: then they must not be folded away."""
        return any(self[name].errors or self._differs(name) for name in MORE)

    def _differs(self, name: str) -> bool:
        typed = self[name].value()
        return typed not in (None, False, "") and str(typed) != str(self.fields[name].initial)


class MappingsForm(forms.Form):
    default_mappings = forms.BooleanField(
        label="Create default mappings (recommended)",
        required=False,
        initial=True,
        help_text="Rules for Product, Customer and Message in both directions, with sample records to try them on. "
        "Without them you make every mapping yourself.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered: list[tuple[str, str, str, str]] = import_string(settings.READY_MADE)()
        for slug, _, name, sentence in self.offered:
            self.fields[TASK + slug] = forms.BooleanField(label=name, required=False, help_text=sentence)

    def tasks(self) -> dict[str, list[forms.BoundField]]:
        """The fields of the tasks, by entity."""
        found: dict[str, list[forms.BoundField]] = {}
        for slug, entity, _, _ in self.offered:
            found.setdefault(entity, []).append(self[TASK + slug])
        return found

    def chosen_tasks(self) -> list[str]:
        return [slug for slug, _, _, _ in self.offered if self.cleaned_data.get(TASK + slug)]


class InstallationForm(NameForm, ModelForm, ThrottleForm, MappingsForm):
    """The whole installation at once, as the command line gives it and as Apply checks it."""

    def fields_of_installation(self) -> dict[str, Any]:
        left_out = ("preset", *(TASK + slug for slug, _, _, _ in self.offered))
        facts = {name: value for name, value in self.cleaned_data.items() if name not in left_out}
        return facts | {"tasks": self.chosen_tasks()}


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
        names = ["name", "version", "connection", "model", *Installation.LIMITS]
        initial = {name: getattr(installation, name) for name in names} | {"preset": None}
        initial |= {name: f"{initial[name]:g}" for name in ("retry_delay", "retry_cap")}
        super().__init__(*args, keep=installation.pk, initial=initial, **kwargs)

    def fields_of_installation(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "preset"}
