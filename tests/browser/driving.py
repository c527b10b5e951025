"""What the tests in a real browser share: where Chromium is, and what holds for every page that they come by."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe, AxeResults
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
PASS_PHRASE = "one of many long pass phrases"
# On a machine that is busy with other tests.
PATIENCE_MS = 20_000
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
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])


class Windows:
    """Pages of one browser, one for each set of options: a new one costs a second of the processor.

    Whoever gets one finds it empty. What a page complains about is kept in `complaints`.
    """

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.browser = browser
        # Whatever moves is drawn sixty times a second, by the processor.
        self.options = {"viewport": WIDE, "color_scheme": "light", "reduced_motion": "reduce"} | options
        self.pages: dict[str, Page] = {}
        self.complaints: list[str] = []

    def page(self, **options: Any) -> Page:
        page = self.pages.get(repr(options)) or self._new(options)
        page.set_default_timeout(PATIENCE_MS)
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="light")
        return page

    def _new(self, options: dict[str, Any]) -> Page:
        page = self.pages[repr(options)] = self.browser.new_context(**self.options | options).new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def clear(self) -> list[str]:
        """What they complained about, as it stands. Then every page is emptied, which may cut off a request on its way."""
        for page in self.pages.values():
            page.evaluate("0")  # what it said before is heard by now
        said = list(self.complaints)
        for page in self.pages.values():
            page.unroute_all()
            page.goto("about:blank")
        self.complaints.clear()
        return said


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
