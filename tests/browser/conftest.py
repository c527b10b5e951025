"""The program with an empty `var/`, and Chromium in front of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import PATIENCE_MS, WIDE, chromium
from tests.conftest import ROOT, free_port, wait_until


class Program:
    """Patchbay as `start.py` runs it, once its packages are there. `address` is what its start printed."""

    def __init__(self, folder: Path) -> None:
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "VAR_DIR": str(folder / "var")}
        self.environment |= {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port()), "WORKERS": "1"}
        self.output = folder / "output"
        subprocess.run(
            [sys.executable, "-c", "import start; start.make_secrets(start.var_dir())"],
            cwd=ROOT,
            env=self.environment | {"PYTHONPATH": str(ROOT)},
            check=True,
        )
        with self.output.open("w") as output:
            command = [sys.executable, "-m", "jobs.supervisor"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=output)
        self.address = str(wait_until(self.printed, 120))
        self.home = self.address.partition("/setup/")[0]

    def printed(self) -> str:
        found = re.search(r"http://\S+/setup/\S+", self.output.read_text())
        return found.group() if found else ""

    def command(self, *words: str) -> list[dict[str, Any]]:
        """The lines of JSON that a command beside the running program prints."""
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path)
    yield program
    program.stop()


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium() as browser:
        opened = browser.new_page(viewport=WIDE, reduced_motion="reduce")
        opened.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield opened
        browser.close()
