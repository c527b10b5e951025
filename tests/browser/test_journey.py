"""The main job in a real browser against the running program: set-up token, installation form, verification, log."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.conftest import ROOT, free_port, wait_until

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed; `apt-get install chromium` brings it."),
]
PASS_PHRASE = "one of many long pass phrases"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The program with an empty `var/`: gives the one-time address of the set-up page that its start printed."""
    port, sandbox_port = free_port(), free_port()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "VAR_DIR": str(tmp_path / "var")}
    environment |= {"PORT": str(port), "SANDBOX_PORT": str(sandbox_port), "PYTHONPATH": str(ROOT)}
    output = (tmp_path / "output").open("w+")
    make = "import start; start.make_secrets(start.var_dir())"
    subprocess.run([sys.executable, "-c", make], cwd=ROOT, env=environment, check=True)
    for command in ("config.prepare", "jobs.supervisor"):
        process = subprocess.Popen(
            [sys.executable, "-m", command], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
        if command == "config.prepare":
            assert process.wait(60) == 0
    try:
        yield str(wait_until(lambda: printed(tmp_path / "output"), 30))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        output.close()


def printed(file: Path) -> str:
    found = re.search(r"http://\S+/setup/\S+", file.read_text())
    return found.group() if found else ""


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1440, "height": 900})
        opened.set_default_timeout(15_000)
        yield opened
        browser.close()


def forward(page: Page) -> None:
    page.locator("button.btn-primary[name=go]").click()


def test_from_the_set_up_token_to_a_green_verification_and_its_calls_in_the_log(page: Page, address: str):
    page.goto(address)
    page.fill("[name=username]", "ada")
    page.fill("[name=password1]", PASS_PHRASE)
    page.fill("[name=password2]", PASS_PHRASE)
    page.get_by_role("button", name="Create administrator").click()

    page.goto(re.sub(r"/setup/.*", "/installations/new/", address))
    forward(page)
    page.fill("[name=name]", "OpenAI - Journey")
    forward(page)
    if page.locator("[name=connection][value=new]").is_visible():
        page.check("[name=connection][value=new]")
    page.fill("[name=new-name]", "Sandbox")
    page.check("[name=new-kind][value=sandbox]")
    forward(page)
    page.fill("[name=model]", "gpt-6-luna")
    forward(page)
    forward(page)
    forward(page)
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("main")).to_contain_text("/hookapi/v2/dynamic/OpenAI/Product?")

    page.goto(re.sub(r"/setup/.*", "/installations/1/verification/", address))
    page.get_by_role("button", name="Run all checks").click()
    expect(page.locator("main")).to_contain_text("11 of 11", timeout=45_000)

    page.goto(re.sub(r"/setup/.*", "/log/", address))
    expect(page.locator("table")).to_contain_text("Create response")
    page.locator('table a[href^="/log/"]').first.click()
    expect(page.locator("main")).to_contain_text("Timeline")
