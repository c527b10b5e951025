"""The real program in a folder of its own, its commands, and a browser without a window that keeps all it was told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.conftest import ROOT, free_port, wait_until

START = "import start; start.make_secrets(start.var_dir()); from jobs import supervisor; supervisor.main()"
# Runs commands of manage.py, each in a process of its own, forked from one that has loaded Django: that takes a second.
# A line of JSON says what to run, in which folder its three streams lie, and what is added to the environment.
COMMANDS = """
import json, os, sys
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()
import config.urls, manage
for line in sys.stdin:
    arguments, folder, more = json.loads(line)
    child = os.fork()
    if not child:
        os.environ.update(more)
        for number, name in enumerate(("in", "out", "err")):
            os.dup2(os.open(f"{folder}/{name}", os.O_RDWR), number)
        sys.stdin, sys.argv = open(0, closefd=False), ["manage.py", *arguments]
        sys.exit(manage.main())
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass
class Answer:
    """One answer of the program: to what, and with what."""

    asked: str
    status: int
    headers: str
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Browser:
    """Sends forms as a browser does, follows no redirect by itself, and keeps every answer in `answers`."""

    def __init__(self, url: str, answers: list[Answer]) -> None:
        self.answers = answers
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=60)

    def get(self, path: str, **headers: str) -> Answer:
        return self._keep("GET", path, headers=headers)

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
        token = next((value for name, value in self.client.cookies.items() if "csrf" in name), "")
        return self._keep("POST", path, data={**(form or {}), "csrfmiddlewaretoken": token}, headers=headers)

    def raw(self, path: str, content: bytes, headers: dict[str, str]) -> Answer:
        return self._keep("POST", path, content=content, headers=headers)

    def _keep(self, method: str, path: str, **options: object) -> Answer:
        response = self.client.request(method, path, **options)  # type: ignore[arg-type]
        headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        asked = re.sub(r"^/setup/.*", "/setup/", path.split("?")[0])
        answer = Answer(f"{method} {asked}", response.status_code, headers, response.content)
        self.answers.append(answer)
        return answer


class Commands:
    """`manage.py` beside the running program, with the settings `env`; its first command starts it."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self.env, self.folder = env, folder
        self.process: subprocess.Popen[str] | None = None

    def run(self, command: tuple[str, ...], typed: str, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
        streams = {name: self.folder / name for name in ("in", "out", "err")}
        for name, file in streams.items():
            file.write_text(typed if name == "in" else "")
        if not self.process:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self.process = subprocess.Popen(
                [sys.executable, "-c", COMMANDS], cwd=ROOT, env=self.env, text=True, **pipes
            )
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps([command, str(self.folder), more]) + "\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        return subprocess.CompletedProcess(command, status, streams["out"].read_text(), streams["err"].read_text())

    def stop(self) -> None:
        if self.process:
            self.process.communicate(timeout=60)


@dataclass
class Program:
    """A running program; `env` are the settings that its commands share."""

    var: Path
    port: int
    sandbox_port: int
    env: dict[str, str]
    console: Path
    commands: Commands
    answers: list[Answer] = field(default_factory=list)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    browsers: list[Browser] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}/v1"

    @property
    def set_up_path(self) -> str:
        found = re.search(r"(/setup/\S+)", self.console.read_text())
        return found.group(1) if found else ""

    def browser(self) -> Browser:
        self.browsers.append(Browser(self.url, self.answers))
        return self.browsers[-1]

    def manage(self, *command: str, typed: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """A command, with `typed` on its standard input. Its output is kept under the command's name."""
        run = self.commands.run(command, typed, env)
        self.outputs.append((f"manage.py {command[0]}", run.stdout + run.stderr))
        return run


def settings(folder: Path, **more: str) -> dict[str, str]:
    """Every setting, so that a developer's `.env` says nothing to the program; an empty one counts as not set."""
    names = re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    ports = {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port())}
    there = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return dict.fromkeys(names, "") | there | ports | {"VAR_DIR": str(folder / "var")} | more


@contextmanager
def running(folder: Path, **more: str) -> Iterator[Program]:
    """Starts the program in `folder` and waits for its address; ends it at the end."""
    env, console = settings(folder, **more), folder / "console"
    with console.open("w") as out:
        process = subprocess.Popen([sys.executable, "-c", START], cwd=ROOT, env=env, stdout=out, stderr=out)
    commands = Commands(env, folder)
    program = Program(folder / "var", int(env["PORT"]), int(env["SANDBOX_PORT"]), env, console, commands)
    try:
        wait_until(lambda: "http://" in console.read_text() or process.poll() is not None, 120)
        assert process.poll() is None, console.read_text()
        wait_until(lambda: env["SANDBOX"] == "false" or answers(program.sandbox_url), 60)
        yield program
    finally:
        for browser in program.browsers:
            browser.client.close()
        commands.stop()
        process.terminate()
        process.wait(60)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code > 0
    except httpx.TransportError:
        return False
