"""What the reader of the log wants to see: the filter form of the list page and of `manage.py calls`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from logs.states import CALL_STATES
from ui.formats import clock
from ui.states import choices

Choices = Iterable[tuple[str, str]]

ANY: Final = [("", "Any")]
OPEN: Final = "open"
NOT_SENT: Final = "none"
PERIODS: Final = [
    ("15m", "Last 15 minutes"),
    ("1h", "Last hour"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
]
PERIOD: Final = re.compile(r"([1-9][0-9]{0,3})(m|h|d)")
UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
HTTP: Final = re.compile(r"[1-5]([0-9]{2}|xx)", re.IGNORECASE)
MORE: Final = ("operation", "model", "http", "cause", "tag", "from", "to")
YEARS: Final = range(2000, 3000)
MOST_ID: Final = 2**63 - 1


@dataclass(frozen=True)
class Filters:
    """Parsed and safe. `http` is the lowest and highest status, `(0, 0)` for calls without an answer; times are UTC."""

    text: str = ""
    installation_id: int | None = None
    installation_name: str = ""
    operation: str = ""
    model: str = ""
    state: str = ""
    http: tuple[int, int] | None = None
    cause: str = ""
    cause_id: str = ""
    tag: str = ""
    correlation: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Chip:
    """A filter that is on, and the query string without it."""

    label: str
    value: str
    without: str


class PlainText(forms.CharField):
    """Optional text of an address, bounded; half characters and NUL, which a database may refuse, are left out."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(label=label, required=False, max_length=200, **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).encode("utf-8", "ignore").decode().replace("\0", "")


class FilterForm(forms.Form):
    """Every field may be absent. What is wrong is said beside its field and not applied; the rest is."""

    q = PlainText("Text", widget=forms.TextInput(attrs={"type": "search", "placeholder": "Id, model, error, path"}))
    installation = forms.IntegerField(label="Installation", required=False, min_value=0, max_value=MOST_ID)
    operation = PlainText("Operation", widget=forms.Select())
    model = PlainText("Model", widget=forms.Select())
    state = forms.ChoiceField(
        label="Outcome", required=False, choices=[*ANY, (OPEN, "Not finished"), *choices(CALL_STATES)]
    )
    http = PlainText("HTTP", widget=forms.TextInput(attrs={"placeholder": "429, 5xx"}))
    cause = PlainText("Caused by", widget=forms.Select())
    cause_id = PlainText("Id of the cause", widget=forms.HiddenInput())
    tag = PlainText("Tag", widget=forms.TextInput(attrs={"placeholder": "One whole tag"}))
    since = PlainText("Time", widget=forms.Select())
    correlation = PlainText("Correlation", widget=forms.HiddenInput())

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data or {}, auto_id="filter_%s", use_required_attribute=False)
        # `from` is what an address should say, and a word that Python keeps for itself.
        for name, label in (("from", "From"), ("to", "To")):
            widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
            self.fields[name] = forms.DateTimeField(label=label, required=False, widget=widget)
        self.fields["installation"].widget = forms.Select()
        self.offer()

    def offer(self, **options: Choices) -> None:
        """Fill the pickers; the value in the address is always among what they offer."""
        for name, known in {"since": PERIODS, **options}.items():
            shown = dict([*ANY, *known])
            current = str(self.data.get(name) or "")[:200]
            self.fields[name].widget.choices = [
                *shown.items(),
                *([] if current in shown else [(current, current)]),
            ]

    def clean_http(self) -> tuple[int, int] | None:
        text = self.cleaned_data["http"].strip().lower()
        if text == NOT_SENT:
            return (0, 0)
        if text and not HTTP.fullmatch(text):
            raise ValidationError("This is no HTTP status. Enter one such as 429, a class such as 5xx, or none.")
        return (int(text.replace("x", "0")), int(text.replace("x", "9"))) if text else None

    def clean_since(self) -> datetime | None:
        text = self.cleaned_data["since"].strip().lower()
        found = PERIOD.fullmatch(text)
        if text and not found:
            raise ValidationError("This is no length of time. Enter a number and m, h or d, such as 90m, 1h or 7d.")
        return timezone.now() - timedelta(**{UNITS[found[2]]: int(found[1])}) if found else None

    def clean(self) -> None:
        for name in ("from", "to"):
            moment = self.cleaned_data.get(name)
            if moment and moment.year not in YEARS:
                self.add_error(name, "The log holds no such year. Enter one from 2000 on.")

    def filters(self) -> Filters:
        self.full_clean()
        good = self.cleaned_data
        starts = [moment for moment in (good.get("since"), good.get("from")) if moment]
        return Filters(
            text=good.get("q", "").strip(),
            installation_id=good.get("installation"),
            operation=good.get("operation", ""),
            model=good.get("model", ""),
            state=good.get("state", ""),
            http=good.get("http"),
            cause=good.get("cause", ""),
            cause_id=good.get("cause_id", "").strip(),
            tag=good.get("tag", "").strip(),
            correlation=good.get("correlation", ""),
            start=max(starts).astimezone(UTC) if starts else None,
            end=good["to"].astimezone(UTC) if good.get("to") else None,
        )

    @property
    def more(self) -> list[forms.BoundField]:
        """The fields that a phone folds away."""
        return [self[name] for name in MORE]

    @property
    def more_in_use(self) -> bool:
        return any(self.data.get(name) for name in MORE)

    def sentences(self) -> list[str]:
        """What is wrong, with the name of the field, for where there is no page to show it on."""
        return [f"{self.fields[name].label}: {said}" for name, all_said in self.errors.items() for said in all_said]

    def chips(self, query: QueryDict) -> list[Chip]:
        """What is on, as the pages name it."""
        return [
            Chip(str(field.label), self._shown(name), without(query, name))
            for name, field in self.fields.items()
            if query.get(name, "").strip() and name not in self.errors
        ]

    def _shown(self, name: str) -> str:
        value = self.cleaned_data.get(name)
        offered = getattr(self.fields[name].widget, "choices", None)
        if isinstance(value, datetime) and not offered:
            return clock(value)
        return str(dict(offered or {}).get(self.data[name], self.data[name]))


def without(query: QueryDict, *names: str, **changes: str) -> str:
    """The query string without these names (the place in the list goes with them), and with the changes."""
    rest = query.copy()
    for name in (*names, "cursor", "after", "shown", "open"):
        rest.pop(name, None)
    for name, value in changes.items():
        rest[name] = value
    return rest.urlencode()
