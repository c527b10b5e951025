"""What every full page gets without its view asking: menu, theme, version, and the person's name."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from ui import banners
from ui.access import person_of
from ui.navigation import Section, menu_for
from ui.theme import theme_of


def page(request: HttpRequest) -> dict[str, Any]:
    """`nav` (sections of the menu), `person` (or None), `banners`, `theme` (`light`, `dark` or empty), `app_version`.

    `nav`, `person` and `banners` are worked out when a template first uses them, so that fragments do not pay for the menu.
    """

    def nav() -> list[Section]:
        return menu_for(person_of(request), request.path)

    return {
        "nav": SimpleLazyObject(nav),
        "banners": SimpleLazyObject(lambda: banners.for_person(person_of(request))),
        "person": SimpleLazyObject(lambda: person_of(request)),
        "theme": theme_of(request),
        "app_version": settings.VERSION,
    }
