"""What stands above every page until it is mended. The rooms that know it are named in `settings.BANNERS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string

from ui.access import Person

# Those who may do something about it.
ROLE = "operator"


@dataclass(frozen=True)
class Banner:
    """A sentence with a link to where it can be mended; `rest` says more."""

    title: str
    url: str
    rest: str


def for_person(person: Person | None) -> list[Banner]:
    if person is None or not person.has_role(ROLE):
        return []
    functions: list[Callable[[], list[Banner]]] = [import_string(path) for path in settings.BANNERS]
    return [banner for function in functions for banner in function()]
