"""Form parts: two widgets of our own, and how each kind of field is drawn by `{% field %}`."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

Options = Iterable[tuple[str, str]]


class OptionCards(forms.RadioSelect):
    """Radio buttons as cards, for choices that need a sentence each.

    `descriptions` is `{value: sentence}`; `fills` is `{value: {field name: what to write into it}}`, for presets.
    """

    def __init__(
        self,
        descriptions: dict[str, str],
        fills: dict[str, dict[str, object]] | None = None,
        attrs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(attrs)
        self.descriptions = descriptions
        self.fills = fills or {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        option["description"] = self.descriptions.get(str(value), "")
        if str(value) in self.fills:
            option["attrs"]["data-fill"] = json.dumps(self.fills[str(value)])
        return option


class Picker(forms.TextInput):
    """Free text with suggestions: `options` are `(value, label)` pairs, or a function that gives them when drawn."""

    def __init__(self, options: Options | Callable[[], Options] = (), attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.options = options


def kind_of(field: BoundField) -> str:
    """Which part of `components/field.html` draws this field."""
    match field.field.widget:
        case forms.CheckboxSelectMultiple():
            return "checks"
        case forms.RadioSelect():
            return "options"
        case forms.CheckboxInput():
            return "check"
        case Picker():
            return "picker"
    return "control"


def draw_control(field: BoundField, css: str = "", **attrs: str) -> SafeString:
    """The control alone, with the look's classes and tied to its error and its help."""
    widget = field.field.widget
    if isinstance(widget, forms.NumberInput):
        widget = _as_digits(widget, field)
    classes = " ".join(filter(None, ["" if kind_of(field) == "check" else _input_class(widget), css]))
    own = {"class": f"{widget.attrs.get('class', '')} {classes}".strip()} if classes else {}
    return field.as_widget(widget=widget, attrs={**own, **describe(field), **attrs})


def describe(field: BoundField) -> dict[str, str]:
    """ARIA attributes: what the error and the help say belongs to the control."""
    ids = [
        f"{field.auto_id}-e" if field.errors else "",
        f"{field.auto_id}-h" if field.help_text else "",
    ]
    described = {"aria-describedby": " ".join(filter(None, ids))} if any(ids) else {}
    return described | ({"aria-invalid": "true"} if field.errors else {})


def suggestions_of(field: BoundField) -> list[tuple[str, str]]:
    widget = field.field.widget
    if not isinstance(widget, Picker):
        return []
    return list(widget.options() if callable(widget.options) else widget.options)


def option_columns(field: BoundField) -> str:
    """Two or three cards stand in a row; more stand one under the other."""
    count = len(field.field.widget.choices)
    return f"options options-{count}" if count in (2, 3) else "options"


def _input_class(widget: forms.Widget) -> str:
    return "input input-num" if isinstance(widget, forms.NumberInput) else "input"


def _as_digits(widget: forms.NumberInput, field: BoundField) -> forms.NumberInput:
    """A number box without spin buttons, which change values by accident; the form checks the bounds itself."""
    digits = copy.copy(widget)
    digits.input_type = "text"
    fractions = isinstance(field.field, forms.DecimalField | forms.FloatField)
    kept = {name: value for name, value in widget.attrs.items() if name not in ("min", "max", "step")}
    digits.attrs = {"inputmode": "decimal" if fractions else "numeric", "autocomplete": "off", **kept}
    return digits
