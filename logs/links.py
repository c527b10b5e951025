"""What a cause is called, and where it is shown. Names of addresses are text: the rooms above are not imported here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.urls import NoReverseMatch, reverse

from logs.models import Call


@dataclass(frozen=True)
class Place:
    """A page, as the name of its address and the column of the call that holds its argument. `bare` is what the cause is called
    where the call names no row of it.
    """

    label: str
    icon: str
    url_name: str = ""
    argument: str = "cause_id"
    bare: str = ""


@dataclass(frozen=True)
class Link:
    """`url` is empty where there is no page (any more)."""

    label: str
    icon: str
    text: str
    url: str


CAUSES: Final[dict[str, Place]] = {
    "connection test": Place("Connection test", "connection", "connections:detail"),
    "run item": Place("Record of a run", "run", "runs:item"),
    "pull": Place("Pull", "download", "runs:detail"),
    "event": Place("Webhook event", "webhook", "webhooks:detail"),
    "check": Place("Verification check", "verify", "verification:page", argument="installation_id"),
    "proxy": Place("Program at the proxy", "send", "proxy:detail"),
    "reconciliation": Place("Asking what became of a call", "refresh", "logs:detail"),
    "sent again": Place("Sent again", "send", "logs:detail"),
    "operation": Place("Preset", "operation", "operations:preset_version", bare="Form or raw request"),
    "operation list": Place("Whole list", "operation", "operations:whole_list"),
    "form": Place("Form", "operation"),
    "preview": Place("Mapping, run once", "mapping", "mappings:detail"),
    "command": Place("Command line", "code"),
}


# A tag such as preset-12 names a row of a room above.
TAGS: Final[dict[str, Place]] = {
    "preset": Place("Preset version", "operation", "operations:preset_version"),
    "mapping": Place("Mapping version", "mapping", "mappings:version"),
}


def tag_link(call: Call, tag: str) -> Link | None:
    """The page of what a tag names; None where it is a word of somebody's own, as all those of programs are."""
    kind, _, number = tag.partition("-")
    if kind not in TAGS or call.cause == "proxy" or not (number.isascii() and number.isdecimal()):
        return None
    place = TAGS[kind]
    return Link(place.label, place.icon, tag, address(place.url_name, number))


def cause_link(call: Call) -> Link:
    place = CAUSES.get(call.cause, Place(call.cause.capitalize() or "Unknown", "link"))
    text = call.cause_label or call.cause_id
    label = place.label if call.cause_id else place.bare or place.label
    return Link(label, place.icon, text, address(place.url_name, getattr(call, place.argument)))


def address(url_name: str, argument: object) -> str:
    """The address, or nothing where there is no such page or nothing to open on it."""
    if not url_name or argument in (None, ""):
        return ""
    try:
        return reverse(url_name, args=[argument])
    except NoReverseMatch:
        return ""
