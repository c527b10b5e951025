import re
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.test import AsyncClient

from ui.csp import POLICY

TEMPLATES = sorted([*Path(settings.BASE_DIR, "templates").rglob("*.html"), *Path(__file__).parent.rglob("*.html")])
# What the policy would block, and attributes in which htmx would have to evaluate text.
BLOCKED = {
    "a style attribute": re.compile(r"\sstyle\s*=", re.I),
    "a script without src": re.compile(r"<script(?![^>]*\ssrc=)", re.I),
    "a style element": re.compile(r"<style", re.I),
    "an inline handler": re.compile(r"\son[a-z]+\s*=", re.I),
    "hx-on": re.compile(r"hx-on", re.I),
    "a js: value": re.compile(r"""["'](?:js|javascript):""", re.I),
    "a trigger filter": re.compile(r"""hx-trigger="[^"]*\["""),
}


def test_the_policy_allows_our_own_files_and_nothing_else():
    directives = dict(part.split(" ", 1) for part in POLICY.split("; "))
    assert directives.pop("default-src") == "'none'"
    assert directives.pop("img-src") == "'self' data:"
    assert {name for name, allowed in directives.items() if allowed == "'none'"} == {"base-uri", "frame-ancestors"}
    own = {name for name, allowed in directives.items() if allowed == "'self'"}
    assert own == {"script-src", "style-src", "font-src", "connect-src", "form-action", "media-src"}


@pytest.mark.parametrize("address", ["/connections/", "/open/", "/no-such-page/", "/fail/", "/proxy/forgotten/"])
def test_every_answer_carries_the_policy(as_, address):
    headers = as_("viewer", raise_request_exception=False).get(address).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_the_policy_is_carried_under_asgi_too():
    answer = async_to_sync(AsyncClient(headers={"X-Role": "viewer"}).get)("/connections/")
    assert answer.headers["Content-Security-Policy"] == POLICY


def test_caches_keep_pages_and_their_parts_apart(as_):
    assert "HX-Request" in as_("viewer").get("/connections/").headers["Vary"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_nothing_that_the_policy_blocks(template):
    text = template.read_text()
    found = [what for what, pattern in BLOCKED.items() if pattern.search(text)]
    assert not found, f"{template} holds {', '.join(found)}. Move it to static/css or static/js/app.js."


def test_the_rules_themselves_find_what_they_look_for():
    bad = '<p style="x"><script>1</script><style></style><a onclick="x" hx-on:click="x" href="js:x" hx-trigger="a[b]">'
    assert all(pattern.search(bad) for pattern in BLOCKED.values())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_begin_by_saying_what_they_need(template):
    text = template.read_text()
    assert re.match(r'(\{% extends "[a-z_/.]+" %\}\n)?\{# ', text), f"{template} needs a comment: blocks and context."
