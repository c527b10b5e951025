"""The whole program for tests: started as `start.py` starts it, on a `VAR_DIR` and ports of its own, looked at from outside."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import ROOT, Sandbox, free_port, wait_until
from tests.whole.witness import Commands

PASSWORD = "one of many long pass phrases"
MAKE_SECRETS = "import start; start.make_secrets(start.var_dir())"
RECORDS = 200
THROTTLE = {"throttle_limit": 1000, "throttle_seconds": 1, "concurrent_connections": 10}
# Prints what `create_installation` prints.
SETTLE_IN = """
import json, os
from django.core.management import call_command
from flows.records import save_record
from logs.audit import SYSTEM
call_command("create_admin", username="ada", stdout=open(os.devnull, "w"))
call_command("create_installation", *json.loads(os.environ["OPTIONS"]))
for number in range(int(os.environ["PRODUCTS"])):
    save_record(SYSTEM, "Product", f"K-{number:03}", {"name": f"Chair {number}"}, cause="sample")
"""


class Program:
    """One supervisor with web and workers, at a `sandbox` that outlives it.

    `rows` reads its database file, `page` is a signed-in person's browser, `webhook_url` where events may come.
    """

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.var, self.sandbox, port = folder / "var", sandbox, free_port()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "VAR_DIR": str(self.var)}
        self.environment |= {"PORT": str(port), "PYTHONPATH": str(ROOT)}
        self.environment |= {"SANDBOX": "false", "ALLOW_PRIVATE_ADDRESSES": "127.0.0.1/32"}
        self.said, self.webhook_url = folder / "said", ""
        self.address = f"http://127.0.0.1:{port}"
        self.page = httpx.Client(base_url=self.address, trust_env=False, follow_redirects=True, timeout=30)
        self.commands = Commands(self.environment, folder)
        subprocess.run([sys.executable, "-c", MAKE_SECRETS], cwd=ROOT, env=self.environment, check=True, timeout=60)

    def start(self) -> None:
        with self.said.open("w") as said:
            command = [sys.executable, "-m", "jobs.supervisor"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=said, stderr=said)
        wait_until(lambda: "Patchbay is running" in self.said.read_text(), 120)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        self.commands.stop()
        self.page.close()

    def kill(self) -> None:
        """The supervisor alone, as `kill -9` does it. Its children end by themselves."""
        children = self.children()
        self.process.kill()
        self.process.wait()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))

    def children(self, *roles: str) -> list[int]:
        """Process ids of the children that live, of these modules or all."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in found if any(role in _command(pid) for role in roles or [""])]

    def manage(self, *arguments: str, said: str = "", **environment: str) -> Any:
        """What a command of `manage.py` printed, read as JSON if it is any."""
        done = self.commands.run(arguments, said, environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.var / 'patchbay.sqlite3'}?mode=ro", uri=True, timeout=20) as database:
            return database.execute(query, values).fetchall()

    def settle_in(self, products: int, **throttle: int) -> None:
        """An administrator who is signed in, an installation at the sandbox, and so many products beside the five samples."""
        options = [f"--{name.replace('_', '-')}={value}" for name, value in throttle.items()]
        options += ["--name=Whole", "--model=gpt-6-luna", f"--base-url={self.sandbox.url}"]
        given = {"OPTIONS": json.dumps(options), "PRODUCTS": str(products), "OPENAI_API_KEY": "sk-sandbox"}
        self.webhook_url = self.manage("shell", "-v", "0", "-c", SETTLE_IN, said=PASSWORD, **given)["webhook_url"]
        assert self.post("/sign-in/", username="ada", password=PASSWORD).url.path != "/sign-in/"

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Sends a form as the page at `path` would, from this program's own address."""
        if not any(name.startswith("patchbay_csrf") for name in self.page.cookies):
            self.page.get(path)
        token = next(value for name, value in self.page.cookies.items() if name.startswith("patchbay_csrf"))
        return self.page.post(path, data={"csrfmiddlewaretoken": token, **fields}).raise_for_status()

    def push(self, **fields: str) -> int:
        """Starts a push of products on its page, of all where nothing else is said; the number of the run."""
        answer = self.post("/runs/new/", **{"entity": "Product", "which": "all", "installation": "1", **fields})
        found = re.fullmatch(r"/runs/(\d+)/", answer.url.path)
        assert found, answer.text
        return int(found.group(1))

    def run_state(self, run: int) -> str:
        return str(self.rows("SELECT state FROM flows_run WHERE id = ?", run)[0][0])


@contextmanager
def settled_in(folder: Path, sandbox: Sandbox) -> Iterator[Program]:
    """A running program that somebody is signed in to, with one installation and so many products as `RECORDS` says."""
    program = Program(folder, sandbox)
    program.start()
    try:
        program.settle_in(RECORDS - 5, **THROTTLE)
        yield program
    finally:
        program.stop()


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
