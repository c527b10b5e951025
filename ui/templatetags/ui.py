"""Template tags and filters of the look. They are built in (settings), so that templates need no `{% load %}`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from django import template
from django.forms import BaseForm
from django.forms.boundfield import BoundField
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ui import formats
from ui.code import code_lines
from ui.forms import describe, draw_control, kind_of, option_columns, suggestions_of
from ui.help import ENTRIES
from ui.paging import KeysetPage
from ui.states import State

register = template.Library()

register.filter("clock", formats.clock)
register.filter("ago", formats.ago)
register.filter("duration_ms", formats.duration_ms)
register.filter("money", formats.money)
register.filter("number", formats.number)
register.filter("bytes", formats.byte_size)
register.filter("initials", formats.initials)
register.filter("plain", formats.plain)

TIMES: Final = {"clock": formats.clock, "ago": formats.ago, "log": formats.log_clock}
ENVIRONMENTS: Final = {"production": "env-prod", "staging": "env-stage", "test": "env-test"}


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """An icon of icons.svg; `size` is nothing, `s`, `l` or `xl`. It is decoration: words stand beside it."""
    return format_html(
        '<svg class="icon{}" width="16" height="16" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" icon-{size}" if size else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
def logo(size: int = 26) -> SafeString:
    return format_html(
        '<svg width="{0}" height="{0}" viewBox="0 0 32 32" aria-hidden="true"><use href="{1}#logo"/></svg>',
        size,
        static("logo.svg"),
    )


@register.simple_tag
def status(state: State) -> SafeString:
    return format_html('<span class="{}">{}{}</span>', state.css, icon(state.icon), state.label)


@register.simple_tag
def badge(label: object, tone: str = "", icon_name: str = "") -> SafeString:
    """A property in a pill; `tone` is nothing or one of ok, warn, bad, info, note, accent."""
    css = f"badge badge-{tone}" if tone else "badge"
    return format_html('<span class="{}">{}{}</span>', css, icon(icon_name) if icon_name else "", label)


@register.simple_tag
def environment(value: str) -> SafeString:
    """The label of an installation's environment (production, staging, test); nothing for an empty value."""
    if not value:
        return SafeString("")
    return format_html('<span class="env {}">{}</span>', ENVIRONMENTS.get(value, "env-test"), value.capitalize())


@register.simple_tag
def when(moment: datetime | None, style: str = "clock") -> SafeString:
    """A `<time>` element, `style` being clock, ago or log (see `ui.formats`); the full time stands in its title."""
    if moment is None:
        return SafeString(formats.NOTHING)
    shown = TIMES[style](moment)
    stamp = moment.isoformat(timespec="milliseconds")
    return format_html('<time datetime="{0}" title="{0}" class="num">{1}</time>', stamp, shown)


@register.simple_tag
def help_code(code: str) -> SafeString:
    """A code such as PB-1001, linked to its help page; a code that has none stays text."""
    if code not in ENTRIES:
        return format_html("<code>{}</code>", code)
    title = ENTRIES[code].title
    return format_html(
        '<a class="nowrap" href="{}" title="{}"><code>{}</code></a>', reverse("ui:help_entry", args=[code]), title, code
    )


@register.simple_tag
def notice(tone: str, title: str, text: str = "", icon_name: str = "") -> SafeString:
    """A notice that stays on the page; `tone` is info, ok, warn or bad and names the icon too, unless one is given."""
    css = "notice" if tone == "info" else f"notice notice-{tone}"
    shown = icon(icon_name or tone)
    return format_html('<div class="{}">{}<p><strong>{}</strong> {}</p></div>', css, shown, title, text)


@register.inclusion_tag("components/field.html")
def field(
    field: BoundField,
    affix: str = "",
    width: str = "",
    label: str = "",
    css: str = "",
    compact: bool = False,
    optional: bool = True,
) -> dict[str, Any]:
    """Label, control, error and help of one field.

    `affix` is a unit or range behind the control; `width` a class of the whole (`field-s`, `field-m`, `f-wide`);
    `css` more classes for the control (`mono`); `compact` is for filters: smaller, without the mark "optional".
    A field that begins with a value has no such mark either, nor one with `optional=False`, whose help says when it
    may stay empty.
    Other attributes belong to the widget: `forms.TextInput(attrs={"hx-get": ...})`.
    """
    kind = kind_of(field)
    css = f"{css} input-s".strip() if compact else css
    tied = {"list": f"{field.auto_id}-list"} if kind == "picker" else {}
    return {
        "field": field,
        "kind": kind,
        "label": label or field.label,
        "affix": affix,
        "width": width,
        "control": "" if kind in ("options", "checks") else draw_control(field, css, **tied),
        "suggestions": suggestions_of(field),
        "described": describe(field).get("aria-describedby", ""),
        "columns": option_columns(field) if kind == "options" else "",
        "optional": optional and not compact and not field.field.required and field.field.initial is None,
    }


@register.inclusion_tag("components/errors.html")
def errors(form: BaseForm) -> dict[str, Any]:
    """A notice above a form that was refused: what is wrong with it as a whole, and links to the fields in question."""
    return {"form": form, "faulty": [bound for bound in form.visible_fields() if bound.errors]}


@register.inclusion_tag("components/code_block.html")
def code_block(
    value: object, id: str = "", label: str = "Code", wrap: bool = True, marked: Collection[int] = ()
) -> dict[str, Any]:
    """JSON (as text or data) or plain text in the code viewer; give an `id` where a copy button needs it.

    Lines whose numbers (from 1) are in `marked` stand out.
    """
    return {"lines": code_lines(value), "id": id, "label": label, "wrap": wrap, "marked": marked}


@register.inclusion_tag("components/copy_field.html")
def copy_field(id: str, value: str, label: str, css: str = "copy-one") -> dict[str, Any]:
    """A value to be copied, with its button; `label` names the value (`Webhook URL`)."""
    return {"id": id, "value": value, "label": label, "css": css}


@register.inclusion_tag("components/empty.html")
def empty(title: str, text: str, icon: str = "", url: str = "", button: str = "") -> dict[str, Any]:
    """An empty list: what will be here, what makes it come, and one button to do so."""
    return {"title": title, "text": text, "icon": icon, "url": url, "button": button}


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(context: Context, page: KeysetPage[Any]) -> dict[str, Any]:
    """Links to the newer and older page; they keep the rest of the address, filters above all."""
    return {"request": context["request"], "page": page}
