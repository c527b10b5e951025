"""Whatever carries a help code leads to a page that says what it means, why it happens, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client as Browser

from openai_api import errors
from openai_api.errors import CallError
from ui import help
from ui.help import ENTRIES

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"PB-\d{4}")
# Classes of the tree that are never raised themselves.
BRANCHES = {errors.CallError, errors.NotSent, errors.Refused}


def family(kind: type[CallError]) -> Iterator[type[CallError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


def texts() -> Iterator[tuple[str, str]]:
    """Every program text, page and document of the repository but the tests, with its name."""
    for path in sorted(ROOT.rglob("*")):
        place = path.relative_to(ROOT)
        if path.suffix in {".py", ".html", ".md", ".js"} and not {"tests", ".venv"} & set(place.parts):
            yield place.as_posix(), path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", sorted(set(family(CallError)) - BRANCHES, key=lambda kind: kind.__name__))
def test_every_error_of_a_call_has_a_help_page(kind: type[CallError]) -> None:
    assert kind.help_code in ENTRIES, f"{kind.__name__} has no help code; give it one in ui/help.py."


def test_every_code_that_is_named_has_an_entry_and_every_entry_its_own_name() -> None:
    named = {name: value for name, value in vars(help).items() if isinstance(value, str) and CODE.fullmatch(value)}
    assert sorted(named.values()) == sorted(ENTRIES), "one name, one code, one entry"


def test_no_text_names_a_code_that_has_no_entry() -> None:
    unknown = {(place, code) for place, text in texts() for code in CODE.findall(text) if code not in ENTRIES}
    assert not unknown


def test_no_code_is_given_as_text_where_its_name_belongs() -> None:
    """A code that is typed twice is wrong once."""
    typed = [place for place, text in texts() if place.endswith(".py") and place != "ui/help.py" and CODE.search(text)]
    assert not [place for place in typed if place != "ui/templatetags/ui.py"], "import its name from ui.help"


@pytest.mark.django_db
def test_each_help_page_says_what_why_and_what_to_do(as_viewer: Browser) -> None:
    index = as_viewer.get("/help/").content.decode()
    for code, entry in ENTRIES.items():
        page = as_viewer.get(f"/help/{code}/").content.decode().replace("&#x27;", "'").replace("&quot;", '"')
        assert all(text in page for text in (entry.title, entry.what, entry.why, entry.todo)), code
        assert f"/help/{code}/" in index, code
        assert all(text.endswith(".") and len(text) > 30 for text in (entry.what, entry.why, entry.todo)), code
