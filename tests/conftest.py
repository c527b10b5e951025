"""What every test shares: a room of its own for files, the gate at rest between tests, the far side as a function."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from django.core.management.commands import flush
from django.db import connection, connections, transaction
from django.test import Client as Browser
from pytest_django import DjangoDbBlocker

from tests import people
from tests.tools import ROOT, free_port, wait_until

if TYPE_CHECKING:
    from tests.whole.program import Program

__all__ = ["ROOT", "Sandbox", "free_port", "wait_until"]
FarSide = Callable[[httpx.Request], httpx.Response]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", action="store_true", help="take the README's pictures anew")


# Which files share more than a file does: one running program.
SHARED = {
    "tests/whole/test_background.py": "program",
    "tests/whole/test_kill.py": "program",
    "tests/whole/test_kill_proxy.py": "program",
    "tests/proxy/test_sdk.py": "program",
    "tests/proxy/test_memory.py": "program",
}
# What takes longest, so that no process is left alone with it in the end. Then come the others that start whole programs.
FIRST = ["program", "tests/operations/test_browser.py", "tests/whole/test_canary.py"]


def batch(nodeid: str) -> str:
    file = nodeid.partition("::")[0]
    return SHARED.get(file, file)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> tuple[int, bool]:
        what = batch(item.nodeid)
        return FIRST.index(what) if what in FIRST else len(FIRST), item.get_closest_marker("slow") is None

    items.sort(key=turn)


def pytest_collection_finish() -> None:
    """What was collected stays. Looking through it for garbage again and again took an eighth of the tests' time."""
    from config.serve import settle

    settle()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests that share something stay in one process: it is made once. Batches go out in the order above."""
    from xdist.scheduler import LoadScopeScheduling

    class Batches(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return batch(nodeid)

    config.option.loadscopereorder = False
    return Batches(config, log)


@pytest.fixture(autouse=True, scope="session")
def no_authorities() -> Iterator[None]:
    """No test trusts anybody over TLS, and each HTTP client would read all certificates that this machine trusts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)
        yield


@pytest.fixture(autouse=True)
def gate_at_rest() -> Iterator[None]:
    """No permit or thread of one test reaches into the next."""
    yield
    from openai_api.gate import gate

    gate.stop()


@pytest.fixture
def far_side(monkeypatch: pytest.MonkeyPatch) -> Callable[[FarSide], None]:
    """`far_side(handler)`: what answers instead of OpenAI is a function from request to response."""
    from openai_api import loop, transport

    def install(handler: FarSide) -> None:
        loop.run(transport.close())

        def answer(request: httpx.Request) -> httpx.Response:
            try:
                return handler(request)
            finally:
                connections.close_all()  # a handler that looks at rows does so in a connection of its own

        monkeypatch.setattr(transport, "wire", lambda: httpx.MockTransport(answer))

    yield install  # type: ignore[misc]
    loop.run(transport.close())


@pytest.fixture
def as_viewer(db: None) -> Browser:
    return people.signed_in(people.viewer_vera())


@pytest.fixture
def as_operator(db: None) -> Browser:
    return people.signed_in(people.operator_omar())


@pytest.fixture
def as_administrator(db: None) -> Browser:
    return people.signed_in(people.administrator_ada())


class Sandbox:
    """A running sandbox: its base URL and its control."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/v1"
        self._control = httpx.Client(base_url=f"http://127.0.0.1:{port}/_sandbox", trust_env=False)

    def fault(self, **fault: object) -> None:
        self._control.post("/faults", json=fault).raise_for_status()

    def settings(self, **values: object) -> None:
        self._control.post("/settings", json=values).raise_for_status()

    def witness(self) -> dict[str, Any]:
        """All that it saw: `total`, `concurrent`, `most_concurrent` and the rows of its journal, `requests`."""
        found: dict[str, Any] = self._control.get("/journal").raise_for_status().json()
        return found

    def busy(self) -> int:
        """Requests under way. Asked often, so without the rows."""
        found = self._control.get("/journal", params={"path": "none"}).raise_for_status().json()
        return int(found["concurrent"])

    def journal(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.witness()["requests"]
        return rows

    def clear(self) -> None:
        self._control.post("/reset")

    def answers(self) -> bool:
        try:
            return self._control.get("/journal").status_code == 200
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        self._control.close()


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--host", "127.0.0.1", "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    sandbox = Sandbox(port)
    wait_until(sandbox.answers, 60)
    yield sandbox
    sandbox.close()
    process.terminate()
    process.wait(60)


@pytest.fixture(scope="session")
def whole_program(tmp_path_factory: pytest.TempPathFactory, running_sandbox: Sandbox) -> Iterator[Program]:
    """The real program at the running sandbox, started once for all that is done to it, kill -9 included."""
    from tests.whole.program import settled_in

    running_sandbox.clear()
    with settled_in(tmp_path_factory.mktemp("whole"), running_sandbox) as program:
        yield program


@pytest.fixture
def sandbox(running_sandbox: Sandbox, settings: object) -> Sandbox:
    settings.SANDBOX_URL = running_sandbox.url  # type: ignore[attr-defined]
    running_sandbox.clear()
    return running_sandbox


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """A test with real transactions ends in a flush, which also takes what migrations had put there. It comes back as it
    was: making content types, permissions and roles anew, as Django would, is the longest part of a short test.
    """
    seeds = []
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - a table of ours
            if rows := cursor.fetchall():
                seeds.append((f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows))  # noqa: S608

    def bring_back(*_: object, **options: object) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for insert, rows in seeds:
                cursor.executemany(insert, rows)

    flush.emit_post_migrate_signal = bring_back
