"""The editor in a real browser: a mapping built with the mouse, then with the keyboard, tried, run once and saved."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from flows.records import save_record
from logs.audit import Actor
from mappings.actions import create_mapping
from mappings.choices import FROM_HUB, TO_HUB
from mappings.models import Mapping, Rule
from tests import builders, people
from tests.browser.conftest import PATIENCE_MS
from tests.browser.driving import CHROMIUM, PHONE, WIDE, assert_good_page, in_chromium, served

pytestmark = [*in_chromium, pytest.mark.django_db(transaction=True)]
ANSWER = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Fine oak."}]}],
    "usage": {"input_tokens": 8, "output_tokens": 3},
}
Open = Callable[..., Page]
ADA = Actor("ada")
FORMULA = '"Sell " & $uppercase(fields.name) & " for the price that it has, which is " & fields.price'


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def mapping(transactional_db: None) -> Mapping:
    """Nothing but its settings; beside it one that takes the answer, and two records."""
    installation = builders.installation()

    def made(name: str, direction: str, *rules: Rule) -> Mapping:
        parts = {"entity": "Product", "direction": direction, "operation": "create_response"}
        return create_mapping(ADA, Mapping(installation=installation, name=name, **parts), rules)

    made("Back", TO_HUB, Rule(target="fields.description", source="text"))
    for key, name in [("A-2", "Lamp"), ("A-1", "Oak desk")]:
        save_record(ADA, "Product", key, {"name": name, "price": "20", "category": "desks"})
    return made("Out", FROM_HUB)


@pytest.fixture
def opened(chromium: Browser, mapping: Mapping) -> Iterator[Open]:
    """`opened(script=False)`: the editor of the mapping, as an administrator. What the browser complains of fails the test."""
    cookies = people.signed_in(people.administrator_ada()).cookies
    expect.set_options(timeout=PATIENCE_MS)
    contexts, complaints = [], []
    with served() as here:

        def new(script: bool = True, **options: Any) -> Page:
            context = chromium.new_context(
                base_url=here, viewport=WIDE, reduced_motion="reduce", java_script_enabled=script, **options
            )
            context.add_cookies([{"name": c.key, "value": c.value, "url": here} for c in cookies.values()])
            context.set_default_timeout(PATIENCE_MS)
            contexts.append(context)
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.goto(f"/mappings/{mapping.pk}/")
            return page

        yield new
        for context in contexts:
            context.close()
    assert complaints == []


def source(page: Page, path: str) -> Locator:
    return page.locator(f'[data-source="{path}"]')


def target(page: Page, path: str) -> Locator:
    return page.locator(f'[data-target="{path}"]')


def rules(mapping: Mapping) -> dict[str, tuple[str, str]]:
    return {rule.target: (rule.kind, rule.source) for rule in mapping.rules.all()}


def drag(page: Page, start: Locator, end: Locator) -> None:
    start.hover()
    page.mouse.down()
    box = end.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 10, steps=6)
    expect(page.locator(".cords .drawn")).to_be_attached()
    page.mouse.up()


def test_the_mouse_builds_a_mapping_that_is_tried_run_once_and_saved(
    opened: Open, mapping: Mapping, far_side: Callable[[Any], None]
) -> None:
    sent: list[Any] = []

    def openai(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json=ANSWER)

    far_side(openai)
    page = opened()
    expect(page.locator("#board .card-foot")).to_contain_text("input is required, and no rule fills it")
    drag(page, source(page, "fields.name"), target(page, "input"))
    expect(page.locator("#h-rule")).to_have_text("Rule for input")
    expect(page.locator("#mapping-meta")).to_contain_text("Version 2")
    expect(page.locator("#preview .code .mark")).to_contain_text('"input": "Oak desk"')
    source(page, "fields.category").click()
    expect(page.locator("#board-hint")).to_contain_text("fields.category is picked")
    target(page, "metadata").click()
    expect(page.locator("#h-rule")).to_have_text("Rule for metadata.category")
    assert rules(mapping) == {"input": ("field", "fields.name"), "metadata.category": ("field", "fields.category")}

    page.locator(".cord-grip").first.click(force=True)
    expect(page.locator("#h-rule")).to_have_text("Rule for input")
    page.get_by_text("Formula", exact=True).last.click()
    page.get_by_label("Source", exact=True).fill(FORMULA.replace("uppercase", "upercase"))
    expect(page.locator("#id_source-e")).to_contain_text("Line 1, character 12: There is no function upercase")
    expect(page.locator("#id_source-e mark")).to_have_text("upercase")
    expect(target(page, "input").locator("xpath=..")).to_have_class(re.compile("err"))
    expect(page.locator("#rules tr.sel")).to_contain_text("There is no function upercase")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "an error scrolls the page sideways"
    page.set_viewport_size(WIDE)
    page.get_by_role("button", name="Use uppercase").click()
    expect(page.locator("#preview .code")).to_contain_text('"input": "Sell OAK DESK for')
    page.get_by_role("button", name="Next record").click()
    expect(page.locator("#preview .code")).to_contain_text('"input": "Sell LAMP for')
    assert "Lamp" in page.locator("#sample").input_value()
    page.get_by_role("button", name="Run once").click()
    expect(page.locator("#once")).to_contain_text("Fine oak.")
    expect(page.locator("#once")).to_contain_text("fields.description")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_label("Default when empty").fill("nothing")
    page.get_by_label("Default when empty").fill("")
    expect(page.locator("#once")).to_contain_text("Fine oak.")
    assert sent == [
        {
            "input": "Sell LAMP for the price that it has, which is 20",
            "metadata": {"category": "desks"},
            "model": "gpt-6-luna",
        }
    ]
    assert rules(mapping)["input"] == ("field", "fields.name"), "nothing is saved before it is asked for"
    assert_good_page(page)
    page.get_by_label("Note").fill("In capitals")
    page.get_by_role("button", name="Save rule").last.click()
    expect(page.locator("#mapping-meta")).to_contain_text("Version 4")
    assert rules(mapping)["input"] == ("formula", FORMULA)
    assert page.locator("#record").input_value() == "A-2", "the record stays in sight"
    page.locator(".rule-list tbody tr").nth(1).drag_to(page.locator(".rule-list tbody tr").nth(0))
    expect(page.locator(".rule-list th code").first).to_have_text("metadata.category")

    page.get_by_role("link", name="Version 5").click()
    expect(page.get_by_role("row", name="Version 4")).to_contain_text("In capitals")
    page.get_by_role("link", name="Version 4").click()
    expect(page.locator("ins", has_text="uppercase(")).to_be_visible()
    page.get_by_role("link", name="Versions").last.click()
    page.get_by_role("link", name="Version 3").click()
    page.get_by_role("button", name="Roll back to this").click()
    expect(page.get_by_text("Version 6 says what version 3 said.")).to_be_visible()
    assert rules(mapping) == {"input": ("field", "fields.name"), "metadata.category": ("field", "fields.category")}


def test_the_keyboard_builds_a_mapping_and_fills_a_lookup_table(opened: Open, mapping: Mapping) -> None:
    page = opened(bypass_csp=True)
    keys = page.keyboard
    source(page, "key").focus()
    keys.press("ArrowDown")
    expect(source(page, "fields.name")).to_be_focused()
    keys.press("Enter")
    expect(page.locator("#board-hint")).to_contain_text("fields.name is picked")
    keys.press("ArrowRight")
    target(page, "input").focus()
    keys.press("Enter")
    expect(page.locator("#h-rule")).to_have_text("Rule for input")

    page.get_by_role("radio", name="Formula").focus()
    keys.press("Space")
    page.get_by_label("Source", exact=True).focus()
    keys.press("Control+A")
    keys.type("$upp")
    expect(page.get_by_role("option").first).to_contain_text("$uppercase")
    keys.press("Enter")
    keys.type("fields.cat")
    keys.press("Tab")
    keys.type(")")
    expect(page.get_by_label("Source", exact=True)).to_have_value("$uppercase(fields.category)")
    expect(page.locator("#preview .code")).to_contain_text('"input": "DESKS"')

    page.get_by_role("radio", name="Lookup").focus()
    keys.press("Space")
    page.get_by_label("Source", exact=True).fill("fields.category")
    page.get_by_label("Line 1, value to look for").fill("desks")
    page.get_by_label("Line 1, what to write").fill("Desks and tables")
    expect(page.locator("#preview .code")).to_contain_text('"input": "Desks and tables"')
    page.locator("summary", has_text="Import CSV").press("Enter")
    page.get_by_label("Or paste it").fill("lamps;Lamps\nsofas")
    page.get_by_role("button", name="Import lines").press("Enter")
    expect(page.locator("#csv-e")).to_contain_text("Line 2 of the CSV has 1 value")
    page.get_by_label("Or paste it").fill("lamps;Lamps\nsofas;Sofas")
    page.get_by_role("button", name="Import lines").press("Enter")
    expect(page.get_by_label("Line 3, what to write")).to_have_value("Sofas")
    page.get_by_role("button", name="Remove line 2").press("Enter")
    expect(page.get_by_label("Line 2, what to write")).to_have_value("Sofas")
    assert_good_page(page)
    page.get_by_role("button", name="Save rule").last.press("Enter")
    expect(page.locator("#mapping-meta")).to_contain_text("Version 3")
    rule = mapping.rules.get()
    assert (rule.kind, rule.lookup) == ("lookup", [["desks", "Desks and tables"], ["sofas", "Sofas"]])
    assert_good_page(page)


def test_without_script_the_same_is_done_page_by_page(opened: Open, mapping: Mapping) -> None:
    page = opened(script=False)
    source(page, "fields.name").click()
    target(page, "input").click()
    page.get_by_label("Source", exact=True).fill("fields.price")
    page.get_by_role("button", name="Try").click()
    expect(page.locator("#preview .code")).to_contain_text('"input": "20"')
    page.get_by_text("Lookup", exact=True).last.click()
    page.get_by_label("Line 1, value to look for").fill("20")
    page.get_by_label("Line 1, what to write").fill("cheap")
    page.get_by_role("button", name="Add line").click()
    expect(page.get_by_label("Line 2, value to look for")).to_be_visible()
    page.get_by_role("button", name="Save rule").last.click()
    expect(page.locator("#preview .code")).to_contain_text('"input": "cheap"')
    page.get_by_role("link", name="input").first.click()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="Delete rule").last.click()
    expect(page.get_by_text("No rules yet")).to_be_visible()
    assert not mapping.rules.exists()


def test_a_rule_that_was_typed_is_not_left_without_a_question(opened: Open, mapping: Mapping) -> None:
    questions: list[str] = []
    page = opened()
    page.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.dismiss()))
    target(page, "input").click()
    page.get_by_label("Source", exact=True).fill("fields.name")
    target(page, "instructions").click()
    expect(page.get_by_label("Source", exact=True)).to_have_value("fields.name")
    assert questions == ["The rule that you typed is not saved. Leave it all the same?"]

    page.get_by_role("button", name="Save rule").click()
    expect(page.locator("#rules").get_by_role("link", name="input")).to_be_visible()
    target(page, "instructions").click()
    expect(page.get_by_label("Target", exact=True)).to_have_value("instructions")
    assert len(questions) == 1
    assert rules(mapping) == {"input": ("field", "fields.name")}
