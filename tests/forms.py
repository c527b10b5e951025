"""A browser without script: reads the forms of a page as HTML and sends them, so that a test can only do what a page offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

from django.http import HttpResponse
from django.test import Client as Browser


@dataclass
class Form:
    """`values` is what is filled in, `choices` what a radio group or a select offers, `buttons` (name, value, words)."""

    method: str
    action: str
    values: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class Reader(HTMLParser):
    """Collects forms and links. Controls outside a form, switched off or of type button are not sent."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self._form: Form | None = None
        self._select = self._text = self._link = ""
        self._button: tuple[str, str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._form = Form(given.get("method", "get").lower(), given.get("action", ""))
            self.forms.append(self._form)
        elif tag == "a":
            self._link, self._text = given.get("href", ""), ""
        elif self._form is not None and "disabled" not in given:
            self._control(self._form, tag, given)

    def _control(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "on" if given.get("type") == "checkbox" else "")
        if tag == "button" and given.get("type", "submit") == "submit":
            self._button, self._text = (name, value), ""
        elif tag == "option" and self._select:
            form.choices[self._select].append(value)
            if "selected" in given or self._select not in form.values:
                form.values[self._select] = value
        elif tag in {"input", "textarea", "select"} and name:
            form.names.add(name)
            self._field(form, tag, name, value, given)

    def _field(self, form: Form, tag: str, name: str, value: str, given: dict[str, str]) -> None:
        if tag == "select":
            self._select, form.choices[name] = name, []
        elif given.get("type") in {"radio", "checkbox"}:
            form.choices.setdefault(name, []).append(value)
            if "checked" in given:
                form.values[name] = value
        else:
            form.values[name] = value

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "a":
            self.links[" ".join(self._text.split())] = self._link
        elif tag == "button" and self._button and self._form:
            self._form.buttons.append((*self._button, " ".join(self._text.split())))
            self._button = None


class Reading:
    """Somebody who reads one page after another."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser = browser
        self.open(address)

    def open(self, address: str) -> None:
        self._show(self.browser.get(urljoin(getattr(self, "address", ""), address), follow=True), address)

    def _show(self, answer: HttpResponse, address: str) -> None:
        assert answer.status_code == 200, f"{address} answered {answer.status_code}"
        self.address: str = answer.request["PATH_INFO"]  # type: ignore[attr-defined]  # the test client adds it
        self.headers = answer.headers
        self.text = answer.content.decode()
        self._reader = Reader(self.text)

    def follow(self, words: str) -> None:
        """Open the link with these words."""
        self.open(next(address for text, address in self._reader.links.items() if text.startswith(words)))

    def form(self, button: str) -> Form:
        """The first form that has a button with these words."""
        found = [form for form in self._reader.forms if any(words.startswith(button) for *_, words in form.buttons)]
        assert found, f"{self.address} has no button “{button}”."
        return found[0]

    def press(self, button: str, **typed: str | None) -> None:
        """Fill in fields of the button's form (None clears a box) and press it. A name that is not there is an error."""
        form = self.form(button)
        typed = {name.replace("__", "-"): value for name, value in typed.items()}
        assert typed.keys() <= form.names, f"{self.address} has no field {typed.keys() - form.names}."
        for name, value in typed.items():
            assert name not in form.choices or value in [None, *form.choices[name]], f"{name} offers {form.choices}"
        values = {name: value for name, value in {**form.values, **typed}.items() if value is not None}
        name, value, _ = next(row for row in form.buttons if row[2].startswith(button))
        target = urljoin(self.address, form.action)
        answer = self.browser.post(target, values | ({name: value} if name else {}), follow=True)
        self._show(answer, target)
