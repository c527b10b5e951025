"""Starting, refusing to start, and stopping."""

import signal
import socket
import time

import pytest

from sandbox.__main__ import main
from tests.sandbox.conftest import ROOT, Sandbox, running, start


def ask_for_stream(sandbox: Sandbox) -> socket.socket:
    """A connection that stays open whatever the server does."""
    body = b'{"model": "gpt-6-luna", "stream": true, "input": "A desk"}'
    head = (
        f"POST /v1/responses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-x\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2])), timeout=5)
    connection.sendall(head.encode() + body)
    return connection


def until_arrived(sandbox: Sandbox, requests: int) -> None:
    deadline = time.monotonic() + 30
    while sum("responses" in row["path"] for row in sandbox.journal()) < requests:
        assert time.monotonic() < deadline


def test_it_starts_with_one_line_and_stops_with_none():
    process = start()
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first.startswith("The sandbox listens on http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (out, err, process.returncode) == ("", "", 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_a_signal_whatever_is_open(number):
    """A background response, a stream, and a request without an answer, all at once."""
    with running() as (sandbox, process):
        sandbox.set(background_seconds=3600, stream_delay_seconds=3600)
        asked = {"model": "gpt-6-luna", "input": "Oak desk", "background": True}
        assert sandbox.post("responses", asked).status_code == 200
        stream = ask_for_stream(sandbox)
        assert stream.recv(100).startswith(b"HTTP/1.1 200")
        sandbox.fail("slow", seconds=3600)
        hung = ask_for_stream(sandbox)
        until_arrived(sandbox, 3)
        process.send_signal(number)
        process.wait(timeout=30)  # the answer that hangs would take an hour
        assert process.returncode == 0
        stream.close()
        hung.close()
        sandbox.http.close()


def test_it_refuses_to_start_in_production():
    process = start(ENVIRONMENT="production")
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert err == "The sandbox does not run in production: unset ENVIRONMENT or set it to something else.\n"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::"])  # noqa: S104 - it is refused
def test_it_refuses_a_host_that_others_can_reach(host, capsys):
    assert main(["--host", host]) == 2
    err = capsys.readouterr().err
    assert "loopback only" in err
    assert err.count("\n") == 1


def test_it_says_when_the_port_is_taken(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])]) == 2
    assert "cannot listen" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "{}", '{"webhook_endpoints": [{"x": 1}]}', "[]"])
def test_it_says_when_the_state_cannot_be_read(tmp_path, content, capsys):
    file = tmp_path / "state.json"
    file.write_text(content)
    assert main(["--state", str(file)]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert file.read_text() == content


def test_it_listens_on_the_other_loopback_too():
    with running("--host", "localhost", "--latency", "0.01") as (sandbox, _):
        assert sandbox.order("GET", "settings")["latency_seconds"] == 0.01
        sandbox.http.close()


def test_it_imports_nothing_of_patchbay():
    rooms = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} - {"sandbox", "tests"}
    for source in (ROOT / "sandbox").glob("*.py"):
        for line in source.read_text().splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]):
                assert words[1].split(".")[0] not in rooms | {"django"}, f"{source.name}: {line}"
