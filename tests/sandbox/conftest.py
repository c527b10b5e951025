"""One sandbox process for all tests of this room, as fresh for each of them; and a listener for its webhooks."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import openai
import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 30
Client: TypeAlias = Any
"""The official client. Its overloads want literals, where tests pass tables."""
FAST = {"stream_delay_seconds": 0, "background_seconds": 0.06, "batch_seconds": 0.06, "webhook_backoff_seconds": 0.01}


class Sandbox:
    """A running sandbox: its control by `order`, raw requests by `http`, the official client by `client`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=SECONDS, headers={"Authorization": "Bearer sk-good"})

    def order(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fail(self, kind: str, **how: Any) -> None:
        self.order("POST", "faults", {"kind": kind, **how})

    def set(self, **settings: Any) -> None:
        self.order("POST", "settings", settings)

    def journal(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.order("GET", "journal")["requests"]
        return rows

    def post(self, path: str, body: Any) -> httpx.Response:
        return self.http.post(f"/v1/{path}", json=body)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(f"/v1/{path}", params=query)

    def client(self, key: str = "sk-good", **options: Any) -> Client:
        return openai.OpenAI(
            api_key=key, base_url=f"{self.url}/v1", **{"max_retries": 0, "timeout": float(SECONDS), **options}
        )


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A sandbox of its own on a free port."""
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(*arguments: str) -> Iterator[tuple[Sandbox, subprocess.Popen[str]]]:
    """A sandbox that is gone afterwards."""
    process = start(*arguments)
    assert process.stdout is not None
    try:
        yield Sandbox(process.stdout.readline().split()[-1].removesuffix("/v1")), process
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


@pytest.fixture(scope="session")
def process() -> Iterator[Sandbox]:
    with running() as (sandbox, _):
        yield sandbox
        sandbox.http.close()


@pytest.fixture
def sandbox(process: Sandbox) -> Sandbox:
    process.order("POST", "reset")
    process.set(**FAST)
    return process


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with sandbox.client() as client:
        yield client


class Listener:
    """Takes webhooks. `answers` are the statuses of the next ones; 200 when they are used up."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.arrived = threading.Condition()
        self.url = ""

    def wait_for(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.received) >= count, SECONDS), self.received
            return list(self.received)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        with self.arrived:
            self.received.append((headers, body))
            self.arrived.notify_all()
            return self.answers.pop(0) if self.answers else 200


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = found.take({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            if status in (301, 307):
                self.send_header("location", found.url)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()
