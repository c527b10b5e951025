"""The menu as data. An item whose address does not exist yet, or whose role the person lacks, is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from ui.access import Person


@dataclass(frozen=True)
class Item:
    """`part` names pages that belong to this item although they stand under another one's address."""

    label: str
    icon: str
    url_name: str
    role: str = "viewer"
    part: str = ""


@dataclass(frozen=True)
class Entry:
    """An item as one person sees it on one page. `count` is how much waits there, empty for nothing."""

    label: str
    icon: str
    url: str
    current: bool
    count: str = ""


@dataclass(frozen=True)
class Section:
    title: str
    entries: list[Entry]


MENU: Final[dict[str, tuple[Item, ...]]] = {
    "Connect": (
        Item("Connections", "connection", "connections:list"),
        Item("Installations", "installation", "installations:list"),
        Item("Mappings", "mapping", "mappings:list"),
        Item("Proxy", "send", "proxy:list", part="/proxy/"),
    ),
    "Move": (
        Item("Operations", "operation", "operations:list"),
        Item("Records", "records", "records:list"),
        Item("Flows", "flow", "flows:list"),
        Item("Runs", "run", "runs:list"),
    ),
    "Observe": (
        Item("Integration log", "log", "logs:list"),
        Item("Unknown calls", "warn", "outcomes:list"),
        Item("Webhooks", "webhook", "webhooks:list"),
        Item("Verification", "verify", "verification:list", part="/verification/"),
    ),
    "Administer": (
        Item("People", "users", "accounts:people", role="administrator"),
        Item("Audit trail", "audit", "audit:list", role="administrator"),
    ),
}


def menu_for(person: Person | None, path: str) -> list[Section]:
    """The sections that this person may open; one entry is current.

    That is the one with a part of `path`, else the one whose address begins `path`, the longest such.
    """
    if person is None:
        return []
    urls = {item: url for items in MENU.values() for item in items if (url := _url_for(item, person))}
    under = [url for url in urls.values() if path.startswith(url)]
    own = [url for item, url in urls.items() if item.part and item.part in path]
    current = max(own or under, key=len, default="")
    sections = (
        Section(
            title,
            [
                Entry(item.label, item.icon, urls[item], urls[item] == current, _count(item, person))
                for item in items
                if item in urls
            ],
        )
        for title, items in MENU.items()
    )
    return [section for section in sections if section.entries]


def _count(item: Item, person: Person) -> str:
    """What `settings.MENU_COUNTS` names counts it, for those who may do something about it."""
    path = settings.MENU_COUNTS.get(item.url_name)
    return import_string(path)() if path and person.has_role("operator") else ""


def _url_for(item: Item, person: Person) -> str | None:
    if not person.has_role(item.role):
        return None
    try:
        return reverse(item.url_name)
    except NoReverseMatch:
        return None
