"""The README's first steps, followed literally in a real browser against the running program.

Which buttons are pressed and what is typed into the form is read from the README, so that the two can't drift apart.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Program
from tests.browser.driving import PASS_PHRASE, assert_good_page, in_chromium
from tests.conftest import ROOT

pytestmark = in_chromium
MOST_PAGES = 10
PICTURE = ROOT / "docs" / "verification.png"


def first_steps() -> str:
    return (ROOT / "README.md").read_text().partition("## First steps")[2].partition("\n## ")[0]


def in_bold() -> list[str]:
    """What is to be pressed, in order."""
    return re.findall(r"\*\*(.+?)\*\*", first_steps())


def in_italics() -> list[str]:
    """Pages of the form, and the choices on them."""
    return re.findall(r"(?<!\*)\*([^*]+?):?\*(?!\*)", first_steps())


def as_code() -> list[str]:
    """What is to be typed."""
    return re.findall(r"`(.+?)`", first_steps())


class Newcomer:
    """Someone who presses what the README names, on pages that are good for everybody and raise no error."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def press(self, name: str) -> None:
        button, link = (self.page.get_by_role(role, name=name, exact=True) for role in ("button", "link"))
        button.or_(link).first.click()
        self.look()

    def look(self) -> None:
        self.page.wait_for_load_state()
        assert self.errors == [], self.page.url
        assert_good_page(self.page)
        self.errors.clear()  # axe tries inline styles, which the content security policy refuses

    def follow_the_form(self, onward: str, to: str) -> None:
        connection, _, sandbox, model = in_italics()
        for _ in range(MOST_PAGES):
            step = self.page.locator("[aria-current=step]").inner_text()
            if step == connection:
                self.page.get_by_label("Name").fill("Sandbox")
                self.page.get_by_role("radio", name=sandbox).check()
            if step == model:
                self.page.get_by_label("OpenAI model").fill(as_code()[0])
            self.press(onward)
            if self.page.get_by_role("button", name=to, exact=True).is_visible():
                return
        raise AssertionError(f"{to} is not within {MOST_PAGES} pages; the form stands at {self.page.url}")


def test_from_the_set_up_token_to_the_log_entry_of_each_call(page: Page, program: Program, pictures: bool):
    create, new, onward, apply, verify, run_all, log = in_bold()
    newcomer = Newcomer(page)

    page.goto(program.address)
    newcomer.look()
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASS_PHRASE)
    page.get_by_label("Password again").fill(PASS_PHRASE)
    newcomer.press(create)

    newcomer.press(new)
    newcomer.follow_the_form(onward, to=apply)
    newcomer.press(apply)
    expect(page.get_by_label("Webhook URL", exact=True)).to_contain_text("/hookapi/v2/dynamic/OpenAI/Product?")

    newcomer.press(verify)
    newcomer.press(run_all)
    expect(page.get_by_text(re.compile(r"^(\d+) of \1$"))).to_be_visible(timeout=120_000)
    newcomer.look()
    if pictures:
        page.screenshot(path=PICTURE)

    newcomer.press(log)
    calls = [str(link.get_attribute("href")) for link in page.locator("#calls tbody a").all()]
    made = [call for call in program.command("calls", "--since", "1h", "--format", "jsonl") if not before(call)]
    assert sorted(calls) == sorted(f"/log/{call['id']}/" for call in made)
    for call in calls:
        page.goto(program.home + call)
        expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    newcomer.look()


def before(call: dict[str, str]) -> bool:
    """Whether the way to the verification made this call."""
    return call["cause"] in {"connection test", "webhook registration"}


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> bool:
    """Whether the README's picture is to be taken anew: `python3 start.py test tests/browser --pictures`."""
    return bool(request.config.getoption("--pictures"))
