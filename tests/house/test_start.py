"""A fresh copy, started as its user would: `python3 start.py`, killed, started again, stopped."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from config import serve
from jobs import child, supervisor
from tests.conftest import free_port, wait_until
from tests.house.test_layers import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc").is_dir(), reason="Looks at processes in /proc.")]
# A machine that is busy with other tests may take so long for what takes a moment.
PATIENCE = 60
# The test run's own settings must not reach the copy.
OURS = {
    "DJANGO_SETTINGS_MODULE",
    "PYTHONPATH",
    "SECRET_KEY",
    "SEALING_KEYS",
    "DATABASE_URL",
    "PUBLIC_URL",
    "ALLOWED_HOSTS",
}
OURS |= {"SANDBOX", "SANDBOX_PORT", "PROCESS_NAME", "WORKERS", "HOST", "ENVIRONMENT", "PYTHONDONTWRITEBYTECODE"}
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "var", ".env", ".*_cache", "tests")


def two_free_ports() -> int:
    """The first of two free ports in a row: the sandbox takes the second."""
    while True:
        port = free_port()
        with socket.socket() as probe:
            if port < 65535 and probe.connect_ex(("127.0.0.1", port + 1)) != 0:
                return port


class Copy:
    """A copy of the project with packages in place, and the one program that runs from it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.var, self.port = folder / "patchbay", folder / "patchbay" / "var", two_free_ports()
        shutil.copytree(ROOT, self.folder, ignore=NOT_COPIED)
        # Packages as they are here: what an install from nothing does is tried by .ci/run, which has no packages.
        (self.folder / ".venv" / "bin").mkdir(parents=True)
        (self.folder / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (self.folder / ".venv" / "bin" / "python").chmod(0o755)
        lock = (self.folder / "requirements.txt").read_bytes()
        (self.folder / ".venv" / ".installed-requirements").write_text(hashlib.sha256(lock).hexdigest())
        self.process: subprocess.Popen[str] | None = None

    def start(self, **settings: str) -> str:
        """The first line of its answer; "" if it ended without one."""
        self.process = self.launch(**settings)
        assert self.process.stdout
        return self.process.stdout.readline()

    def launch(self, **settings: str) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if name not in OURS}
        environment |= {"PORT": str(self.port), "VAR_DIR": "var", **settings}
        command = [sys.executable, "start.py"]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.folder, env=environment, text=True, **streams)

    def children(self, of: str = "") -> list[int]:
        assert self.process
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in found if of in Path(f"/proc/{pid}/cmdline").read_text()]

    @property
    def runs(self) -> bool:
        return bool(self.process) and self.process.poll() is None

    def status(self, path: str = "/sign-in/") -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def made(self) -> dict[str, tuple[int, int]]:
        """What a first start makes: packages, secrets, static files and tables. Whatever is made again is another file."""
        folders = [self.folder / ".venv", self.var / "static"]
        files = [self.var / name for name in ("secret_key", "sealing_keys", "static.sha256")]
        files += [file for folder in folders for file in folder.rglob("*")]
        found = {str(file): (file.stat().st_ino, file.stat().st_mtime_ns) for file in files}
        with closing(sqlite3.connect(f"file:{self.var / 'patchbay.sqlite3'}?mode=ro", uri=True)) as database:
            return found | {"tables": database.execute("PRAGMA schema_version").fetchone()}

    def stop(self, signum: int = signal.SIGINT) -> None:
        """Returns when the program and every child is gone."""
        assert self.process
        children = self.children()
        self.process.send_signal(signum)
        self.said_more = "".join(self.process.communicate(timeout=PATIENCE))
        wait_until(lambda: not [pid for pid in children if alive(pid)], PATIENCE)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    copy = Copy(tmp_path_factory.mktemp("fresh"))
    yield copy
    if copy.runs:
        copy.stop()
    shutil.rmtree(copy.folder)


@pytest.fixture
def running(copy: Copy) -> Copy:
    """Started where the test before it did not leave it running."""
    if not copy.runs:
        line = copy.start()
        assert f"http://127.0.0.1:{copy.port}/setup/" in line, line
    wait_until(lambda: len(copy.children()) == 4, PATIENCE)
    return copy


@pytest.fixture
def resting(copy: Copy) -> Copy:
    if copy.runs:
        copy.stop()
    return copy


def last_line(process: subprocess.Popen[str]) -> str:
    answer, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert answer == ""
    return str(said).strip()


def test_the_first_start_prints_the_set_up_address_which_opens(running: Copy):
    assert running.status("/sign-in/") == 200
    assert sorted(path.name for path in (running.var / "log").iterdir()) == [
        "sandbox.log",
        "web.log",
        "worker-1.log",
        "worker-2.log",
    ]
    # Static files are what every browser gets; the folder above them is closed.
    for path in [running.var, *(path for path in running.var.rglob("*") if "static" not in path.parts)]:
        # The database's second file comes and goes with its connections.
        with suppress(FileNotFoundError):
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, f"{path} is open to others"


@pytest.mark.parametrize("role", ["config.serve", "run_worker", "sandbox"])
def test_a_killed_child_is_replaced_and_the_pages_never_refuse(running: Copy, role: str):
    wait_until(lambda: running.children(of=role), PATIENCE)
    before = running.children(of=role)
    os.kill(before[0], signal.SIGKILL)
    assert running.status() == 200
    whole = len(before)
    wait_until(lambda: before[0] not in (now := running.children(of=role)) and len(now) == whole, PATIENCE)


def test_a_second_start_on_the_same_folder_is_refused_in_one_sentence(running: Copy):
    said = last_line(running.launch())
    assert said.startswith("Patchbay is running with VAR_DIR")
    assert "\n" not in said


def test_the_children_end_when_the_supervisor_is_killed(running: Copy):
    running.stop(signal.SIGKILL)
    assert child.LAST_CALL < 5


def test_the_second_start_finds_everything_made_and_prints_one_line(resting: Copy):
    if not resting.var.exists():
        resting.start()
        resting.stop()
    made = resting.made()
    line = resting.start()
    assert re.fullmatch(r"Patchbay is running\. Open http://127\.0\.0\.1:\d+/setup/[\w-]+/ \(Ctrl-C stops it\)\n", line)
    assert resting.status() == 200
    assert resting.made() == made
    resting.stop()
    assert not resting.said_more


def test_ctrl_c_ends_everything_within_five_seconds_with_an_answer_still_open(running: Copy):
    """Whoever waits is given so long, and is killed then: how long the killing takes is up to the machine."""
    held = hold_an_answer_open(running.port)
    running.stop()
    assert serve.GRACE_SECONDS < supervisor.GRACE_SECONDS < 5
    held.close()
    assert not running.said_more


def hold_an_answer_open(port: int) -> socket.socket:
    """A request whose body never ends: web waits for the rest of it."""
    held = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    held.sendall(
        b"POST /hookapi/v2/dynamic/OpenAI/Product?x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\n{"
    )
    return held


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_a_taken_port_is_named_by_its_setting(resting: Copy, name: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = last_line(resting.launch(**{name: port, "VAR_DIR": f"var-{name}"}))
    assert said.startswith(f"{name} {port} on 127.0.0.1 can't be used: address already in use.")
    assert "\n" not in said


def test_a_wrong_setting_stops_the_start_in_one_sentence(resting: Copy):
    said = last_line(resting.launch(WORKERS="many", VAR_DIR="var-wrong"))
    assert said.startswith("WORKERS is 'many'")
    assert "\n" not in said


def test_a_web_process_that_cannot_start_says_why(resting: Copy):
    database = "postgres://nobody:canary-password@127.0.0.1:1/none"
    said = last_line(resting.launch(DATABASE_URL=database, VAR_DIR="var-database"))
    assert said.startswith("Patchbay could not start. web ended with status 1. It said last:")
    assert "The database that DATABASE_URL names can't be used." in said
    assert "canary-password" not in said and "Traceback" not in said
