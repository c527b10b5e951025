"""ARCHITECTURE.md is true: its folders are the folders, and each room imports only what lies under it."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
# Not in the listing of the house: what every repository has, and the stations of a build.
USUAL = {"README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"}
USUAL |= {"requirements.txt", "requirements-dev.txt", "requirements-scale.txt"}


def block_after(heading: str) -> str:
    """The first fenced block after a heading of ARCHITECTURE.md."""
    return PAGE.split(heading, 1)[1].split("```", 2)[1]


def rows() -> list[set[str]]:
    """The import order, top row first."""
    return [set(line.split()) for line in block_after("## Import order").strip().splitlines()]


ROOMS = set.union(*rows())


@cache
def modules_of(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imports_of(path: Path) -> list[tuple[str, int]]:
    """Every module that a file imports, wherever in it, with the line."""
    return list(_imports_of(path))


def _imports_of(path: Path) -> Iterator[tuple[str, int]]:
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_only_rooms_under_it(room):
    order = rows()
    level = next(number for number, row in enumerate(order) if room in row)
    below = set().union(*order[level + 1 :])
    for path in modules_of(room):
        for module, line in imports_of(path):
            other = module.split(".")[0]
            assert other not in ROOMS - below - {room}, (
                f"{place(path)}:{line} imports {module}, which does not lie under {room}/. Pass it down as an argument, "
                "or name it in a table of config/settings.py. ARCHITECTURE.md has the order."
            )


def test_the_sandbox_imports_nobody_and_nobody_imports_it():
    for path in modules_of("sandbox"):
        assert not {module.split(".")[0] for module, _ in imports_of(path)} & ROOMS, f"{place(path)} imports a room."
    for room in ROOMS:
        for path in modules_of(room):
            assert "sandbox" not in {module.split(".")[0] for module, _ in imports_of(path)}, place(path)


def test_every_folder_is_in_the_picture_and_every_folder_of_the_picture_is_there():
    listed = {line.split()[0].rstrip("/") for line in block_after("# The house").strip().splitlines()}
    if shutil.which("git") is None:
        pytest.skip("git is not installed, so what belongs to this copy can't be told from what lies about.")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("This copy is no git checkout, so what belongs to it can't be told from what lies about.")
    real = {name.split("/")[0] for name in tracked.stdout.splitlines()} - USUAL
    assert {name for name in real if not name.startswith(".")} == listed


HTTP_LIBRARIES = {
    "httpx": {"openai_api/transport.py", "openai_api/wire.py"},
    "aiohttp": {"openai_api/transport.py", "openai_api/wire.py", "openai_api/guard.py"},
    "requests": set(),
    "urllib.request": set(),
    "http.client": set(),
    "openai": set(),
}


@pytest.mark.parametrize("library", sorted(HTTP_LIBRARIES))
def test_only_the_transport_knows_an_http_library(library):
    for room in ROOMS:
        for path in modules_of(room):
            users = [module for module, _ in imports_of(path) if f"{module}.".startswith(f"{library}.")]
            assert not users or place(path) in HTTP_LIBRARIES[library], (
                f"{place(path)} imports {library}. Call OpenAI through connections.clients.client_for."
            )


def test_the_network_is_not_reached_by_sockets_either():
    allowed = {"jobs/supervisor.py", "config/serve.py", "openai_api/guard.py", "openai_api/transport.py"}
    allowed |= {"jobs/management/commands/run_worker.py"}  # the name of this machine
    for room in ROOMS:
        for path in modules_of(room):
            if place(path) not in allowed:
                assert "socket" not in {module for module, _ in imports_of(path)}, place(path)


def test_the_address_of_openai_stands_in_one_place():
    """A second one would be a way around connection, gate and log. Sentences may name it."""
    for room in ROOMS:
        for path in modules_of(room):
            if place(path) == "connections/models.py" or "migrations" in path.parts:
                continue
            texts = [node.value for node in nodes_of(path) if isinstance(node, ast.Constant)]
            assert not [t for t in texts if isinstance(t, str) and t.startswith("https://api.openai")], place(path)


def test_no_room_uses_signals_to_reach_another():
    for room in ROOMS:
        for path in modules_of(room):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"^from django\.db\.models\.signals|@receiver\(", text, re.MULTILINE), place(path)


def test_nothing_is_left_for_later():
    for path in [
        *(p for room in ROOMS for p in modules_of(room)),
        *ROOT.glob("*.py"),
        *ROOT.glob("templates/**/*.html"),
    ]:
        found = re.search(r"\b(TODO|FIXME|XXX|HACK)\b", path.read_text(encoding="utf-8"))
        assert not found, f"{place(path)} says {found.group()}: do it, or write it down where work is planned."
