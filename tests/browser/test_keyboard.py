"""Keyboard alone: set-up, sign-in and the installation form up to Apply, by Tab, Enter, Space and the arrow keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ElementHandle, Page, expect

from accounts.setup import new_setup_address
from tests.browser.driving import PASS_PHRASE, PATIENCE_MS, in_chromium, served
from tests.conftest import Sandbox

pytestmark = [*in_chromium, pytest.mark.django_db(transaction=True)]
MOST_STOPS = 60
# A busy browser may lose one key on the whole way: seen where four processes tested on two cores. Then nothing has the focus.
MOST_LOST = 1
NOWHERE = "document.activeElement === document.body"
# Whether the wanted control has the focus, and whether an outline shows where the focus is: on the control, or around it.
LOOK = """wanted => {
    const now = document.activeElement, around = now.closest('.option, .find');
    const outlined = [now, around].some(part => part && getComputedStyle(part).outlineStyle !== 'none');
    return [now === wanted, outlined];
}"""


class Typist:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.lost = 0

    def go_to(self, role: str, name: str) -> None:
        """Tab until it has the focus; every stop on the way can be seen."""
        wanted = self.page.get_by_role(role, name=name, exact=role != "radio").first.element_handle()
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            there, outlined = self._look(wanted)
            if not outlined and self.lost < MOST_LOST and self.page.evaluate(NOWHERE):
                self.lost += 1
                continue
            assert outlined, f"{self.page.url}: nothing shows where the keyboard is"
            if there:
                return
        raise AssertionError(f"{self.page.url}: {role} {name} is not within {MOST_STOPS} stops")

    def _look(self, wanted: ElementHandle | None) -> tuple[bool, bool]:
        """Where the focus is. A busy browser may not have moved it yet when the key was pressed."""
        for _ in range(10):
            there, outlined = self.page.evaluate(LOOK, wanted)
            if outlined:
                break
            self.page.wait_for_timeout(100)
        return there, outlined

    def type(self, name: str, text: str, role: str = "textbox") -> None:
        self.go_to(role, name)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def press(self, role: str, name: str, key: str = "Enter") -> None:
        self.go_to(role, name)
        self.page.keyboard.press(key)
        self.page.wait_for_load_state()

    def enter(self, title: str) -> None:
        """Enter, which leads on to the step `title`. A busy browser may lose a key; a form that was sent takes no second one."""
        self.page.keyboard.press("Enter")
        with suppress(AssertionError):
            return self.expect_step(title, timeout=PATIENCE_MS / 4)
        self.lost += 1
        assert self.lost <= MOST_LOST, f"{self.page.url}: Enter does not lead on"
        self.page.keyboard.press("Enter")
        return self.expect_step(title)

    def expect_step(self, title: str, timeout: float = PATIENCE_MS) -> None:
        expect(self.page.locator("[aria-current=step]")).to_have_text(title, timeout=timeout)


@pytest.fixture
def set_up(transactional_db: None, sandbox: Sandbox) -> Iterator[str]:
    """The first page of a Patchbay that nobody has used."""
    with served() as here:
        yield here + urlsplit(str(new_setup_address())).path


def test_the_form_is_worked_by_keyboard_from_set_up_to_apply(page: Page, set_up: str):
    ada = Typist(page)
    page.goto(set_up)
    page.keyboard.type("ada")  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(PASS_PHRASE)
    page.keyboard.press("Tab")
    page.keyboard.type(PASS_PHRASE)
    ada.press("button", "Create administrator", "Space")
    ada.press("button", "Sign out")
    expect(page.get_by_role("heading", name="Sign in to Patchbay")).to_be_visible()
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASS_PHRASE)
    page.keyboard.press("Enter")
    ada.press("link", "New installation")

    ada.expect_step("Before you begin")
    ada.press("link", "Skip to content")  # holds for the pages after this one too: the browser keeps #main
    ada.press("button", "Continue")
    ada.expect_step("Name and version")
    ada.type("Name", "OpenAI - Keyboard")
    ada.enter("Connection")
    ada.type("Name", "Sandbox")
    ada.go_to("radio", "OpenAI")
    page.keyboard.press("ArrowRight")
    ada.press("button", "Continue", "Space")
    ada.expect_step("Model")
    ada.type("OpenAI model", "gpt-6-luna", role="combobox")
    ada.press("button", "Continue")
    ada.expect_step("Throttle")
    ada.press("button", "Continue")
    ada.expect_step("Default mappings")
    ada.go_to("checkbox", "Create default mappings (recommended)")
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    ada.press("button", "Continue")
    ada.expect_step("Review and apply")
    ada.press("button", "Apply")
    expect(page.get_by_text("Copy the webhook key now.")).to_be_visible()
    ada.press("link", "Verify installation")
    expect(page.get_by_role("heading", name="Verification")).to_be_visible()
