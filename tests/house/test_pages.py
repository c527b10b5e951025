"""Every address says who may open it, templates obey the content security policy, migrations are complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver

from tests.house.test_layers import ROOT
from ui.access import policy_of

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
INLINE = re.compile(
    r"<style|\sstyle\s*=|<script(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*[\"']|hx-on|javascript:|hx-vals\s*=\s*[\"']js:",
    re.IGNORECASE,
)


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, address)
        else:
            yield address, entry


def test_every_address_has_a_policy():
    for address, pattern in patterns(get_resolver()):
        assert policy_of(pattern.callback) in {"public", "viewer", "operator", "administrator"}, (
            f"/{address}: put @public, @viewer, @operator or @administrator of ui.access on the view."
        )


def test_every_address_has_a_name():
    for address, pattern in patterns(get_resolver()):
        assert pattern.name, f"/{address} has no name, so no page can link to it."


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_a_template_holds_no_inline_script_or_style(path: Path):
    found = INLINE.search(path.read_text(encoding="utf-8"))
    assert not found, f"{found.group()!r}: the content security policy forbids it. Use a class, or a file of static/."


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_a_template_marks_nothing_safe(path: Path):
    found = re.search(r"\|\s*safe\b|\{%\s*autoescape\s+off|safeseq", path.read_text(encoding="utf-8"))
    assert not found, "What comes from outside must be escaped; build markup with format_html in a tag."


@pytest.mark.django_db
def test_migrations_are_complete():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_functions_that_settings_name_are_there(settings):
    from django.utils.module_loading import import_string

    for path in [
        *settings.AFTER_INSTALL,
        *settings.ON_PROCESS_START,
        *settings.PERIODIC,
        settings.WAITS_FOR,
        *settings.RECORDS.values(),
    ]:
        assert callable(import_string(path)), path
