"""The raw request in a real browser, before the real program: streaming and stopping, large files, keyboard, no script."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import PATIENCE_MS, Windows, assert_good_page, chromium, in_chromium
from tests.conftest import Sandbox, wait_until
from tests.proxy.far import Link
from tests.proxy.far import far as sockets
from tests.whole.memory import Memory
from tests.whole.program import PASSWORD, Program

pytestmark = in_chromium
RAW = "/operations/1/raw/"
MEGABYTES, MOST_EXTRA = 100, 64
PIECE = bytes(range(256)) * 4096
MOVE = "from connections.models import Connection; Connection.objects.update(base_url={!r})"
STREAM = '{"model": "gpt-6-luna", "input": "Say hello to everybody who came here today", "stream": true}'
Open = Callable[..., Page]

REPLACED = ("htmx:afterRequest", "htmx:sendAbort")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, running_sandbox: Sandbox) -> Iterator[Program]:
    made = Program(tmp_path_factory.mktemp("operations"), running_sandbox)
    made.start()
    try:
        made.settle_in(products=0)
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def windows(program: Program) -> Iterator[Windows]:
    """An administrator's, who has signed in."""
    with chromium() as browser:
        context = browser.new_context(base_url=program.address)
        page = context.new_page()
        page.goto("/sign-in/")
        page.fill("[name=username]", "ada")
        page.fill("[name=password]", PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "sign-in" not in url)
        yield Windows(
            browser,
            base_url=program.address,
            storage_state=context.storage_state(),
            permissions=["clipboard-read", "clipboard-write"],
        )


@pytest.fixture
def opened(windows: Windows) -> Iterator[Open]:
    """`opened(java_script_enabled=False)`: a page of a signed-in browser. What it complains about fails the test."""

    def new(**options: Any) -> Page:
        page = windows.page(**options)
        page.goto(RAW)
        return page

    expect.set_options(timeout=PATIENCE_MS)
    yield new
    # Chromium writes of every refusal of a server, wanted or not, and htmx of every request that a newer one replaced.
    assert [
        said for said in windows.clear() if not said.startswith(REPLACED) and "the server responded with" not in said
    ] == []


@pytest.fixture(autouse=True)
def rested(running_sandbox: Sandbox) -> Iterator[None]:
    running_sandbox.clear()
    yield
    running_sandbox.settings(stream_delay_seconds=0.02)


def fill(page: Page, method: str, path: str, payload: str = "") -> None:
    page.get_by_label("Method").select_option(method)
    page.get_by_label("Path").fill(path)
    page.locator("#id_payload").fill(payload)


def send(page: Page, method: str, path: str, payload: str = "") -> None:
    fill(page, method, path, payload)
    page.get_by_role("button", name="Send").click()


def answered(page: Page, state: str = "Answered") -> None:
    expect(page.locator("#answer .card-head")).to_contain_text(state)


def last_call(program: Program) -> tuple[str, str, str]:
    """State, error and operation of the newest call, once it has ended."""
    query = "SELECT state, error_code, operation FROM logs_call ORDER BY id DESC LIMIT 1"
    ended: Any = wait_until(lambda: (row := program.rows(query)[0])[0] not in ("queued", "sending") and row)
    return tuple(ended)  # type: ignore[return-value]  # three columns


def test_text_appears_as_it_comes_and_stop_cancels_it_at_openai(
    opened: Open, program: Program, running_sandbox: Sandbox
) -> None:
    running_sandbox.settings(stream_delay_seconds=1)
    page = opened()
    send(page, "POST", "/responses", STREAM)
    text = page.locator("[data-text]")
    expect(text).to_contain_text(re.compile(r"\w+"))
    assert running_sandbox.witness()["concurrent"] == 1, "it is still coming"
    page.get_by_role("button", name="Stop").click()
    answered(page, "Stopped")
    wait_until(lambda: running_sandbox.witness()["concurrent"] == 0)
    assert last_call(program) == ("cancelled", "client_left", "create_response")
    expect(page.locator("#answer-text")).to_contain_text(re.compile(r"\w+"))
    expect(page.locator("#answer")).to_contain_text("Stopped before its end.")


def test_a_streamed_answer_ends_as_the_whole_one(opened: Open) -> None:
    page = opened()
    send(page, "POST", "/responses", STREAM)
    answered(page)
    expect(page.locator("#answer-text")).to_contain_text("everybody")
    expect(page.locator("#answer")).to_contain_text("$0.0000")
    assert page.get_by_label("Path").input_value() == "/responses", "the form is still there"


def test_what_is_wrong_stands_beside_its_field_and_files_stay_chosen(opened: Open, tmp_path: Path) -> None:
    page = opened()
    (tmp_path / "rows.jsonl").write_text("{}")
    page.locator("summary", has_text="Files").click()
    page.get_by_role("group", name="File 1").get_by_label("Field").fill("file")
    page.get_by_role("group", name="File 1").get_by_label("File", exact=True).set_input_files(tmp_path / "rows.jsonl")
    send(page, "POST", "https://elsewhere.test/")
    expect(page.locator("#request .error").first).to_contain_text("This is a full address")
    assert page.evaluate("document.getElementById('id_file-0-file').files[0].name") == "rows.jsonl"
    expect(page.get_by_role("alert")).to_be_focused()
    page.locator("#id_file-0-file").set_input_files([])
    page.get_by_role("group", name="File 1").get_by_label("Field").fill("")
    send(page, "GET", "/models")
    answered(page)
    expect(page.locator("#request .error, #request [role=alert], #request [aria-invalid]")).to_have_count(0)


def test_a_form_that_is_too_large_is_still_there_to_be_made_smaller(opened: Open) -> None:
    page = opened()
    fill(page, "POST", "/responses")
    # Out of sight: drawing so long a line is most of the work, and not what is asked.
    page.locator("#id_payload").evaluate(
        "field => { field.style.display = 'none'; field.value = `\"${'x'.repeat(11e6)}\"`; }"
    )
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer")).to_contain_text("Patchbay answered 400")
    assert page.locator("#id_payload").evaluate("field => field.value.length") == 11_000_002


def test_pictures_and_sound_are_shown(opened: Open) -> None:
    page = opened()
    send(page, "POST", "/images/generations", '{"prompt": "two tables"}')
    answered(page)
    wait_until(lambda: page.locator("#answer img").evaluate("(image) => image.naturalWidth") == 1024)
    send(page, "POST", "/audio/speech", '{"model": "tts-1", "input": "Say hello to me", "voice": "alloy"}')
    expect(page.locator("#answer audio")).to_be_visible()
    wait_until(lambda: 0.3 < (page.locator("#answer audio").evaluate("(sound) => sound.duration") or 0) < 1)


def test_the_tree_is_searched_and_its_paths_are_copied(opened: Open) -> None:
    page = opened()
    send(page, "POST", "/responses", STREAM.replace(', "stream": true', ""))
    answered(page)
    page.locator("summary", has_text="JSON").click()
    page.get_by_label("Search the JSON").fill("output_text")
    expect(page.locator("[data-tree-count]")).to_have_text("1 found")
    expect(page.locator(".tree-hit")).to_be_visible()
    page.locator(".tree-hit button").focus()
    page.keyboard.press("c")
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "output.0.content.0.type"


def test_the_keyboard_alone_sends_and_opens_the_answer(opened: Open) -> None:
    page = opened()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "id_path":
            break
    page.keyboard.press("Control+A")
    page.keyboard.type("/models/gpt-6-luna")
    page.keyboard.press("Enter")
    answered(page)
    expect(page.locator("#h-answer")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").startswith("Headers"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Response headers")).to_be_visible()


def test_without_script_the_whole_answer_is_a_page(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    send(page, "POST", "/responses", STREAM)
    page.wait_for_url("**/answers/**")
    expect(page.locator("#answer-text")).to_contain_text("everybody")
    page.locator("summary", has_text="JSON").click()
    expect(page.locator(".tree summary").first).to_be_visible()
    page.get_by_role("link", name="Change and send again").click()
    expect(page.locator("#id_payload")).to_have_value(re.compile("everybody"))
    send(page, "GET", "/..")
    expect(page.locator("#request .error").first).to_contain_text("can't be passed on")


def test_the_pages_hold_up(opened: Open) -> None:
    page = opened(bypass_csp=True)
    for summary in page.locator("#request summary").all():
        summary.click()
    assert_good_page(page)
    fill(page, "POST", "/responses", STREAM)
    page.get_by_label("Debug request").check()
    page.get_by_role("button", name="Send").click()
    answered(page)
    for summary in page.locator("#answer > details > summary").all():
        summary.click()
    assert_good_page(page)
    page.get_by_label("Path").fill("/files/file-none")
    page.get_by_label("Method").select_option("DELETE")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#sure")).to_be_visible()
    assert_good_page(page)
    for address in ("/operations/", "/operations/help/raw/"):
        page.goto(address)
        assert_good_page(page)


FORM = "/operations/1/create_chat_completion/"
BODY = '{"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Say hello to everybody"}], "stream": true}'


def test_a_generated_form_grows_checks_follows_its_json_and_streams(opened: Open) -> None:
    page = opened()
    page.goto(FORM)
    page.get_by_role("button", name="Add message").click()
    content = page.get_by_label("Content", exact=True)
    expect(content).to_have_count(2)
    page.get_by_label("Temperature").fill("3")
    expect(page.locator("#f-json")).to_have_value(re.compile('"temperature": 3'))
    page.get_by_label("Temperature").press("Enter")  # checks, and sends nothing
    expect(page.get_by_role("alert").filter(has_text="second look")).to_be_focused()
    page.get_by_role("button", name="Create chat completion").click()
    expect(page.locator("#f-body-temperature-e")).to_contain_text("3 is too much")
    expect(page.get_by_role("alert").first).to_be_focused()
    page.get_by_role("button", name="Remove message").nth(1).click()
    expect(content).to_have_count(1)
    expect(page.get_by_role("button", name="Add message")).to_be_focused()
    page.get_by_role("button", name="Response format").click()
    page.get_by_role("button", name="Remove response format").click()
    expect(page.get_by_role("button", name="Response format", exact=True)).to_be_focused()
    page.locator("#f-json").fill(BODY)
    page.get_by_role("button", name="Use this JSON").click()
    expect(content).to_have_value("Say hello to everybody")
    page.get_by_role("button", name="Create chat completion").click()
    answered(page)
    expect(page.locator("#answer-text")).to_contain_text("everybody")
    page.get_by_label("Shape of message").select_option(label="System")
    expect(page.locator("#f-json")).to_have_value(re.compile('"role": "system"'))


def test_the_keyboard_alone_finds_an_operation_and_runs_it(opened: Open) -> None:
    page = opened()
    page.goto("/operations/1/")
    page.get_by_label("Find an operation").focus()
    page.keyboard.type("create embedding")
    expect(page.get_by_role("status")).to_contain_text("1 operation")
    page.get_by_role("link", name="Create embedding").focus()
    page.keyboard.press("Enter")
    page.locator("#f-body-input").focus()
    page.keyboard.type("An oak desk")
    page.get_by_role("button", name="Create embedding").focus()
    page.keyboard.press("Enter")
    answered(page)
    expect(page.locator("#h-answer")).to_be_focused()


def test_without_script_a_form_grows_and_runs(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    page.goto(FORM)
    page.get_by_role("button", name="Add message").click()
    page.get_by_label("Shape of message").nth(0).select_option(label="System")
    page.get_by_role("button", name="Show its fields").nth(0).click()
    page.get_by_label("Content", exact=True).nth(0).fill("Be brief.")
    page.get_by_label("Content", exact=True).nth(1).fill("Hello to everybody")
    page.get_by_role("button", name="Create chat completion").click()
    page.wait_for_url("**/answers/**")
    expect(page.locator("#answer-text")).to_contain_text("everybody")
    page.get_by_role("link", name="Change and send again").click()
    expect(page.get_by_label("Content", exact=True).nth(1)).to_have_value("Hello to everybody")


def test_the_pages_of_forms_hold_up(opened: Open) -> None:
    page = opened(bypass_csp=True)
    for address in (
        "/operations/1/",
        "/operations/1/create_response/",
        "/operations/1/edit_image/",
        "/operations/1/create_video/",
    ):
        page.goto(address)
        for summary in page.locator("main summary").all():
            summary.click()
        assert_good_page(page)
    page.goto("/operations/1/delete_file/")
    page.get_by_label("File ID").fill("file-oak")
    page.get_by_role("button", name="Delete file").click()
    expect(page.get_by_role("heading", name="Delete file file-oak?")).to_be_visible()
    assert_good_page(page)


def test_the_pages_of_presets_hold_up(opened: Open) -> None:
    page = opened(bypass_csp=True)
    save_preset(page, "/operations/1/create_response/", "Describe {{ fields.name }}.")
    assert_good_page(page)
    page.get_by_role("link", name="Open in the form").click()
    save_preset(page, page.url, "Sell {{ fields.name }} for {{ fields.price }}.")
    preset = page.url
    page.get_by_role("link", name="Version 2", exact=True).click()
    expect(page.locator("ins").first).to_have_text("Sell")
    for address in (page.url, preset, f"{preset}record/", "/operations/presets/", "/operations/presets/help/"):
        page.goto(address)
        assert_good_page(page)


def save_preset(page: Page, address: str, text: str) -> None:
    page.goto(address)
    page.get_by_label("Input", exact=True).fill(text)
    if not page.get_by_label("Preset name").is_visible():
        page.locator("#keep summary").click()
    page.get_by_label("Preset name").fill("Describe")
    page.get_by_label("Preset name").press("Enter")  # sends nothing
    page.get_by_role("button", name=re.compile("^Save")).click()
    expect(page.get_by_text("is saved as version")).to_be_visible()


class Large:
    """A far side that takes a file and says what it was, and gives one out."""

    def __call__(self, link: Link) -> None:
        if link.line.startswith("POST"):
            link.answer(b'{"id": "file-1", "bytes": %d, "sum": %d}' % self.taken(link), content_type="application/json")
        else:
            link.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n")
            link.say(b"Content-Length: %d\r\n\r\n" % (MEGABYTES << 20), *[])
            for _ in range(MEGABYTES):
                link.say(PIECE)

    def taken(self, link: Link) -> tuple[int, int]:
        """Size and checksum of the only part."""
        left, size, sum_, head = MEGABYTES << 20, 0, 0, b""
        for piece in link.pieces():
            if left == MEGABYTES << 20 and size == 0 and b"\r\n\r\n" not in head:
                head += piece
                if b"\r\n\r\n" not in head:
                    continue
                piece = head.partition(b"\r\n\r\n")[2]
            taken = piece[: left - size]
            size, sum_ = size + len(taken), zlib.crc32(taken, sum_)
        return size, sum_


@pytest.fixture
def large(program: Program, running_sandbox: Sandbox) -> Iterator[None]:
    with sockets() as side:
        side.answer = Large()
        program.manage("shell", "-v", "0", "-c", MOVE.format(side.url))
        yield
        program.manage("shell", "-v", "0", "-c", MOVE.format(running_sandbox.url))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="Looks at memory in /proc.")
def test_a_hundred_megabytes_go_up_and_come_down(opened: Open, program: Program, large: None, tmp_path: Path) -> None:
    path, expected = tmp_path / "large.bin", 0
    with path.open("wb") as file:
        for _ in range(MEGABYTES):
            file.write(PIECE)
            expected = zlib.crc32(PIECE, expected)
    page, memory = opened(), Memory(program)
    page.set_default_timeout(120_000)
    memory.reset()

    page.locator("summary", has_text="Files").click()
    page.get_by_role("group", name="File 1").get_by_label("Field").fill("file")
    page.get_by_role("group", name="File 1").get_by_label("File", exact=True).set_input_files(path)
    fill(page, "POST", "/files")
    page.get_by_label("Timeout").fill("120000")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer .tree")).to_contain_text(str(expected), timeout=120_000)
    expect(page.locator("#answer .tree")).to_contain_text(str(MEGABYTES << 20))
    up = memory.most()

    memory.reset()
    page.goto(RAW)
    page.get_by_label("Response type").select_option("binary")
    send(page, "GET", "/files/file-1/content")
    expect(page.locator("#answer .card-head")).to_contain_text("Answered", timeout=120_000)
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("link", name="Save").click()
    saved, sum_ = Path(str(download.value.path())), 0
    with saved.open("rb") as file:
        while piece := file.read(1 << 20):
            sum_ = zlib.crc32(piece, sum_)
    down = memory.most()
    assert (saved.stat().st_size, sum_) == (MEGABYTES << 20, expected)
    assert max(up, down) < MOST_EXTRA, (up, down)
