"""static/js/app.js in real Chromium, under the real policy."""

import pytest
from django.conf import settings as product
from django.test import override_settings

from tests.browser.driving import AXE, QUICK, Windows, chromium, in_chromium, served
from tests.ui.site import demo_settings

pytestmark = in_chromium


@pytest.fixture(scope="module")
def address():
    with override_settings(**demo_settings(product)), served() as here:
        yield here


@pytest.fixture(scope="module")
def windows(address):
    with chromium() as browser:
        headers, permissions = {"X-Role": "viewer"}, ["clipboard-read", "clipboard-write"]
        yield Windows(browser, base_url=address, extra_http_headers=headers, permissions=permissions)


@pytest.fixture
def opened(windows):
    """The sheet of components, opened by a viewer; anything that the browser complains about fails the test."""
    page = windows.page()
    page.context.clear_cookies()
    page.goto("/connections/")
    yield page
    assert windows.clear() == []


def theme(opened):
    return opened.locator("html").get_attribute("data-theme")


def test_the_theme_switches_at_once_and_the_server_remembers(opened):
    opened.get_by_role("button", name="Switch between light and dark").click()
    assert theme(opened) == "dark"
    opened.reload()
    assert theme(opened) == "dark"


def test_copying_takes_the_value_and_the_lines_of_code(opened):
    opened.get_by_role("button", name="Copy Webhook URL").click()
    opened.get_by_text("Copied").wait_for()
    assert opened.evaluate("navigator.clipboard.readText()").endswith("/OpenAI/Product?pbw_<9tQ2>")
    opened.get_by_role("button", name="Copy", exact=True).click()
    opened.wait_for_function("navigator.clipboard.readText().then((text) => text.startsWith('{'))")
    assert '\n  "max_output_tokens": 400,\n' in opened.evaluate("navigator.clipboard.readText()")


def test_a_preset_fills_in_the_fields(opened):
    opened.get_by_label("Initial setup").check()
    assert opened.get_by_label("API throttle limit").input_value() == "5"


def test_a_confirm_opens_and_its_safe_button_has_the_focus(opened):
    opened.get_by_role("button", name="Archive").click()
    keep = opened.get_by_role("button", name="Keep it")
    keep.wait_for()
    assert keep.evaluate("(button) => button === document.activeElement")
    keep.click()
    keep.wait_for(state="hidden")


def test_a_button_that_was_pressed_is_busy_until_the_answer_comes(opened):
    button = opened.get_by_role("button", name="Continue")
    opened.evaluate("document.addEventListener('submit', (event) => event.preventDefault())")
    button.click()
    assert button.get_attribute("aria-busy") == "true"


def test_a_form_that_was_sent_keeps_nothing_any_more(opened):
    kept = []
    opened.route("**/keep/", lambda route: (kept.append(route.request.url), route.fulfill(status=204)))
    form = opened.locator("main form[method=post]").first
    form.evaluate("""form => {
        form.setAttribute("hx-post", "/keep/");
        form.setAttribute("hx-trigger", "change");
        htmx.process(form);
    }""")
    change = "form => form.dispatchEvent(new Event('change', { bubbles: true }))"
    with opened.expect_response("**/keep/"):
        form.evaluate(change)
    form.evaluate("form => { form.dataset.sent = '1'; }")
    form.evaluate(change)
    opened.wait_for_timeout(200)
    assert len(kept) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_parts_have_no_barrier_that_a_machine_can_find(windows, theme):
    # The checker puts styles of its own into the page, which our policy would refuse.
    page = windows.page(bypass_csp=True)
    page.emulate_media(color_scheme=theme)
    page.goto("/connections/")
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(rules)", QUICK)["violations"]
    windows.clear()
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found] == []


@pytest.mark.parametrize("width", [360, 390, 820, 1440])
def test_no_page_scrolls_sideways(opened, width):
    opened.set_viewport_size({"width": width, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
