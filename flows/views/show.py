"""Rendering with what every page of this room asks: may this person configure or run things, or only read."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ui.access import person_of


def show(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    person = person_of(request)
    may = {
        "person_may_run": person is not None and person.has_role("operator"),
        "person_may_configure": person is not None and person.has_role("administrator"),
    }
    return render(request, template, {**may, **context})
