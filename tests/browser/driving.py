"""What the tests in a real browser share: where Chromium is, and what holds for every page that they come by."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe, AxeResults
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium")
PASS_PHRASE = "one of many long pass phrases"
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
AXE = Axe().axe_script
# What axe looks at: everything in light, and in dark what depends on colours. It needs no style sheet of its own for that.
QUICK = {"resultTypes": ["violations"], "preload": False}
RULES = {"light": QUICK, "dark": QUICK | {"runOnly": ["color-contrast", "link-in-text-block"]}}

in_chromium = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed; `apt-get install chromium` brings it."),
]


@contextmanager
def served() -> Iterator[str]:
    """The address of this process's own pages, at the tests' database."""
    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.start()
    server.is_ready.wait()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.terminate()


def assert_good_page(page: Page) -> None:
    """Nothing that axe objects to, in light and in dark; nothing wider than a phone; one heading of the first rank."""
    page.evaluate(AXE)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        found = AxeResults(page.evaluate("rules => axe.run(rules)", RULES[scheme]))
        assert not found.violations_count, f"{page.url}, {scheme}: {found.generate_report()}"
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], f"{page.url} scrolls sideways"
    page.set_viewport_size(WIDE)
    assert page.locator("h1").count() == 1, page.url
