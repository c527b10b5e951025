"""Somebody who fills in a generated form with the least that it asks for, as the page offers it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from operations.fields.drawing import Field


class Fields(HTMLParser):
    """Name → value of the controls of the form #op-form, as a browser would post them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.files: set[str] = set()
        self._inside = "<form" not in page  # htmx gets what stands in the form
        self._area = self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._inside = given.get("id") == "op-form"
        if not self._inside:
            return
        name = given.get("name", "")
        if tag == "input" and given.get("type") == "file":
            self.files.add(name)
        elif tag == "input" and given.get("type") == "checkbox" and "checked" not in given:
            return
        elif tag == "input" and name:
            self.values[name] = given.get("value", "")
        elif tag == "textarea":
            self._area, self.values[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in self.values):
            self.values[self._select] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.values[self._area] = self.values[self._area].removeprefix("\n")
            self._area = ""
        elif tag == "select":
            self._select = ""
        elif tag == "form":
            self._inside = False


def every(fields: list[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from every([*field.children, *field.more])


def filled(browser: Browser, address: str, also: tuple[str, ...] = ()) -> tuple[dict[str, Any], int]:
    """What is posted once everything that is needed is filled in, and how many fields the page had. `also` are paths of parts
    that are added, although the page does not mark them.
    """
    more = list(also)
    answer = browser.get(address, HTTP_HX_REQUEST="true")  # without the frame around it, which takes most of the time
    for _ in range(12):
        assert answer.status_code == 200, address
        posted = Fields(answer.content.decode())
        fields = [field for section in answer.context["sections"] for field in every(section.fields)]
        values: dict[str, Any] = posted.values
        for field in fields:
            if field.required:
                fill(field, values, posted.files)
        wanting = [field for field in fields if field.required and is_empty_list(field)]
        if not wanting and not more:
            return values, len(fields)
        texts = {
            name: value for name, value in values.items() if isinstance(value, str) and not name.startswith("json")
        }
        answer = browser.post(
            address, texts | {"do": f"add:{wanting[0].path if wanting else more.pop()}"}, HTTP_HX_REQUEST="true"
        )
    raise AssertionError(f"{address} asks for ever more.")


def is_empty_list(field: Field) -> bool:
    return field.control == "group" and field.growing and not field.children and "t least" in field.help


def fill(field: Field, values: dict[str, Any], files: set[str]) -> None:
    if field.control == "file" and field.path in files:
        values[field.path] = SimpleUploadedFile("oak.png", b"An oak desk", "image/png")
    elif field.control == "json" and not values.get(field.name):
        values[field.name] = "{}"
    elif field.name in values and not values[field.name]:
        values[field.name] = least(field)


def least(field: Field) -> str:
    """The smallest value that the control takes."""
    if field.control in ("select", "picker") and field.options:
        return next(value for value, _ in field.options if value)
    if field.control == "number":
        bounds = re.findall(r"\d[\d,]*(?:\.\d+)?", field.help)
        return bounds[0].replace(",", "") if bounds else "1"
    return "https://example.com/oak" if field.path.endswith("url") else "oak"
