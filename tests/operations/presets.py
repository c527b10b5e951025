"""Presets for tests: forms saved as people save them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client as Browser

from connections.models import Installation
from operations.models import PresetVersion
from tests.operations.builders import typed

PROMPT = "Describe {{ fields.name }} in one sentence."


def filled(**over: str) -> dict[str, str]:
    """The form of Create response as a browser posts it."""
    return {
        "kind": "json",
        "body#in": "1",
        "body/model": "gpt-6-luna",
        "body/input#as": "0",
        "body/input": "Say hello.",
        "timeout": "10000",
        "do": "save",
        **over,
    }


def save(browser: Browser, here: Installation, name: str = "Greeting", note: str = "", **over: str) -> HttpResponse:
    """What the page answers when the form of Create response is saved."""
    posted = filled(**{"preset-name": name, "preset-note": note, **over})
    answer: HttpResponse = browser.post(f"/operations/{here.pk}/create_response/save/", posted)
    return answer


def saved(browser: Browser, here: Installation, name: str = "Greeting", **over: str) -> PresetVersion:
    answer = save(browser, here, name, **over)
    assert answer.status_code == 302, answer.content.decode()
    return newest()


def save_raw(browser: Browser, here: Installation, name: str = "Greeting", **over: Any) -> HttpResponse:
    posted = typed(**over) | {"preset-name": name, "do": "save"}
    answer: HttpResponse = browser.post(f"/operations/{here.pk}/raw/save/", posted)
    return answer


def saved_raw(browser: Browser, here: Installation, name: str = "Greeting", **over: Any) -> PresetVersion:
    answer = save_raw(browser, here, name, **over)
    assert answer.status_code == 302, answer.content.decode()
    return newest()


def newest() -> PresetVersion:
    found = PresetVersion.objects.order_by("-pk").first()
    assert found is not None
    return found
