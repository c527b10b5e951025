"""What a cause is called, and where it is shown. Names of addresses are text: the rooms above are not imported here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.urls import NoReverseMatch, reverse

from logs.models import Call


@dataclass(frozen=True)
class Place:
    """A page, as the name of its address and the column of the call that holds its argument."""

    label: str
    icon: str
    url_name: str = ""
    argument: str = "cause_id"


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
    "operation": Place("Form or raw request", "operation"),
    "operation list": Place("Whole list", "operation", "operations:whole_list"),
    "form": Place("Form", "operation"),
    "command": Place("Command line", "code"),
}


def cause_link(call: Call) -> Link:
    place = CAUSES.get(call.cause, Place(call.cause.capitalize() or "Unknown", "link"))
    text = call.cause_label or call.cause_id
    return Link(place.label, place.icon, text, address(place.url_name, getattr(call, place.argument)))


def address(url_name: str, argument: object) -> str:
    """The address, or nothing where there is no such page or nothing to open on it."""
    if not url_name or argument in (None, ""):
        return ""
    try:
        return reverse(url_name, args=[argument])
    except NoReverseMatch:
        return ""
