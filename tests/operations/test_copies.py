"""A copied request asks the same when others send it: curl, OpenAI's own package. The key is in none of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from operations.asking import Asked, FilePart
from operations.copies import as_curl, as_python, as_raw, copies
from tests.proxy.far import Far, Link
from tests.proxy.far import far as sockets

ACCOUNT = {"OpenAI-Organization": "org-1", "OpenAI-Project": "proj_1"}
HARD = 'It\'s "quoted" $HOME `x` \\n ü\nsecond line'
ROWS = FilePart("file", "rows.jsonl", "application/jsonl", b"{}", 2)
CASES = {
    "list": Asked("GET", "/models", query=(("limit", "2"), ("after", "a b&c"))),
    "unknown": Asked("GET", "/no/such/thing", headers=(("OpenAI-Beta", "x=1"),)),
    "response": Asked("POST", "/responses", body={"model": "gpt-6-luna", "input": HARD, "store": False, "top_p": None}),
    "generic": Asked("POST", "/vector_stores/vs_1/search", body={"query": HARD}, headers=(("X-Mine", "it's"),)),
    "delete": Asked("DELETE", "/files/file-1"),
    "binary": Asked("POST", "/audio/speech", body={"model": "tts-1", "input": "Hi", "voice": "alloy"}, response_type="binary"),
    "strange name": Asked("POST", "/responses", body={"not-a-name": 1}),
    "upload": Asked("POST", "/files", form=(("purpose", "batch"),), files=(ROWS,)),
    "options": Asked("OPTIONS", "/models", headers=(("X-Mine", "1"),)),
}  # fmt: skip


class Witness:
    """Answers anything with an empty object and keeps what it was asked."""

    def __init__(self, side: Far) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        side.answer = self.answer
        self.url = side.url

    def answer(self, link: Link) -> None:
        self.seen.append((link.line, link.headers, link.body()))
        link.answer(b"{}", content_type="application/json")


@pytest.fixture
def witness() -> Any:
    with sockets() as side:
        yield Witness(side)


def is_what_was_asked(witness: Witness, asked: Asked) -> None:
    ((line, headers, body),) = witness.seen
    query = {"list": "?limit=2&after=a+b%26c"}.get(next(name for name, each in CASES.items() if each is asked), "")
    assert line.replace("%20", "+") == f"{asked.method} /v1{asked.path}{query} HTTP/1.1"
    assert headers["authorization"] == "Bearer sk-canary-of-the-copies"
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "proj_1")
    for name, value in asked.headers:
        assert headers[name.lower()] == value
    if asked.multipart:
        assert b'name="purpose"\r\n\r\nbatch\r\n' in body
        assert b'name="file"; filename="rows.jsonl"\r\nContent-Type: application/jsonl\r\n\r\n{}\r\n' in body
    else:
        assert (json.loads(body) if body else None) == asked.body


@pytest.mark.parametrize("name", CASES)
def test_curl_asks_the_same(name: str, witness: Witness, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed.")
    (tmp_path / "rows.jsonl").write_bytes(b"{}")
    text = as_curl(CASES[name], witness.url, ACCOUNT)
    environment = {"OPENAI_API_KEY": "sk-canary-of-the-copies", "PATH": "/usr/bin:/bin", "NO_PROXY": "*"}
    subprocess.run(["sh", "-c", text], env=environment, cwd=tmp_path, check=True, capture_output=True, timeout=20)
    is_what_was_asked(witness, CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_openais_package_asks_the_same(
    name: str, witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b"{}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-of-the-copies")
    text = as_python(CASES[name], witness.url, ACCOUNT)
    exec(compile(text, "copied.py", "exec"), {})  # noqa: S102 - the text is ours, and running it is the test
    is_what_was_asked(witness, CASES[name])


def test_a_stream_is_read_event_by_event() -> None:
    asked = Asked("POST", "/responses", body={"model": "m", "input": "Hi", "stream": True})
    assert "for event in answer:" in as_python(asked, "https://api.test/v1", {})
    compile(as_python(Asked("POST", "/x", body={"stream": True}), "https://api.test/v1", {}), "copied.py", "exec")


def test_the_raw_request_is_http() -> None:
    text = as_raw(CASES["generic"], "https://api.test/v1", {})
    assert text.startswith("POST /v1/vector_stores/vs_1/search HTTP/1.1\nHost: api.test\n")
    assert json.loads(text.partition("\n\n")[2]) == CASES["generic"].body


@pytest.mark.parametrize("name", CASES)
def test_the_key_is_a_variable_in_all_of_them(name: str) -> None:
    for copy in copies(CASES[name], "https://api.test/v1", ACCOUNT):
        assert "OPENAI_API_KEY" in copy.text and "sk-" not in copy.text
