"""The proxy as it is served: over real sockets on both sides, byte for byte, and closed at once where a caller leaves."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path

import httpx
import pytest
import uvicorn
from openai import AuthenticationError, OpenAI

from config.entry import by_path
from config.protocol import Protocol
from connections.models import Installation
from logs.models import Body, Call
from proxy import knocks
from proxy.application import application
from proxy.models import Knock
from tests import builders
from tests.conftest import free_port, wait_until
from tests.proxy.builders import token
from tests.proxy.far import Far, Link, far

pytestmark = pytest.mark.django_db(transaction=True)
MB = 1024 * 1024


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The address of a running server with the program's entry, whose pages are not asked here."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            by_path(application), host="127.0.0.1", port=port, log_config=None, access_log=False, http=Protocol
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(30)


@pytest.fixture
def upstream(settings: object) -> Iterator[Far]:
    settings.ALLOW_PRIVATE_ADDRESSES = (ipaddress.ip_network("127.0.0.0/8"),)  # type: ignore[attr-defined]
    with far() as one:
        yield one


@pytest.fixture
def here(served: str, upstream: Far) -> Iterator[httpx.Client]:
    """A program that uses installation “OpenAI - Test”, whose connection leads to `upstream`."""
    row = builders.installation(connection=builders.connection(base_url=upstream.url))
    headers = {"authorization": f"Bearer {token(row)}"}
    with httpx.Client(base_url=f"{served}/proxy/{row.pk}/v1", headers=headers, trust_env=False, timeout=20) as client:
        yield client


def ended() -> Call:
    wait_until(lambda: Call.objects.exists() and Call.objects.get().state_info.final)
    return Call.objects.get()


def plainly(here: httpx.Client, method: str, path: str, body: bytes) -> tuple[int, HTTPMessage, bytes]:
    """Status, headers and body for a caller who writes the path as it is; httpx would write it anew."""
    caller = HTTPConnection(here.base_url.host, here.base_url.port)
    headers = {"authorization": here.headers["authorization"], "content-type": "application/json"}
    caller.request(method, here.base_url.path.rstrip("/") + path, body, headers)
    with closing(caller), caller.getresponse() as got:
        return got.status, got.headers, got.read()


def test_request_and_answer_pass_byte_for_byte(here: httpx.Client, upstream: Far) -> None:
    seen: list[tuple[str, dict[str, str], bytes]] = []
    said = b'{"a":  "\xc3\xa9",\r\n"b": "\\u00e9"}\x00'

    def answer(link: Link) -> None:
        seen.append((link.line, link.headers, link.body()))
        link.answer(said, "418 Odd", content_type="application/json; odd=1", x_request_id="req_1", x_custom="a;b, c")

    upstream.answer = answer
    sent = b'{"model": "m",   "input": "\xc3\xa9"}'
    status, found, body = plainly(here, "POST", "/a%2Fb/c%20d;x=1?q=%2e%2e&q=%C3%A9+b", sent)
    assert (status, body) == (418, said)
    line, headers, body = seen[0]
    assert line == "POST /v1/a%2Fb/c%20d;x=1?q=%2e%2e&q=%C3%A9+b HTTP/1.1"
    assert (body, headers["authorization"]) == (sent, f"Bearer {builders.API_KEY}")
    assert not {"cookie", "via", "x-forwarded-for", "expect", "te"} & headers.keys()
    assert (found["x-request-id"], found["x-custom"]) == ("req_1", "a;b, c")
    assert found["content-type"] == "application/json; odd=1"
    assert (len(found.get_all("date", [])), found["content-length"]) == (1, str(len(said)))


def test_a_packed_answer_that_nobody_asked_for_is_still_readable(here: httpx.Client, upstream: Far) -> None:
    packed = gzip.compress(b'{"id": "resp_1", "object": "response", "status": "completed"}')
    upstream.answer = lambda link: link.answer(packed, content_type="application/json", content_encoding="gzip")
    assert here.get("/responses/resp_1").json()["id"] == "resp_1"
    assert ended().state == "done"


def test_head_and_no_content_have_no_body(here: httpx.Client, upstream: Far) -> None:
    upstream.answer = lambda link: link.say(b"HTTP/1.1 200 OK\r\nContent-Length: 777\r\nConnection: close\r\n\r\n")
    got = here.head("/files/file-1/content")
    assert (got.status_code, got.headers["content-length"], got.content) == (200, "777", b"")
    upstream.answer = lambda link: link.say(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    got = here.delete("/files/file-1")
    assert (got.status_code, got.content, "content-length" in got.headers) == (204, b"", False)


def test_a_chunked_upload_arrives_whole(here: httpx.Client, upstream: Far) -> None:
    seen: list[bytes] = []

    def answer(link: Link) -> None:
        seen.append(link.body())
        link.answer(b"{}", content_type="application/json")

    upstream.answer = answer
    parts = [b"x" * 100_000, b"y" * 7]
    assert here.post("/files", content=iter(parts)).status_code == 200
    assert seen == [b"".join(parts)]


def memory() -> int:
    """Bytes of this process that stand in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Watch:
    """The most memory that was taken while it watched, in bytes over the beginning."""

    def __enter__(self) -> Watch:
        self.before = self.most = memory()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()
        return self

    def _look(self) -> None:
        while not self.over.wait(0.005):
            self.most = max(self.most, memory())

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    @property
    def added(self) -> int:
        return self.most - self.before


@pytest.mark.parametrize("announced", [True, False])
def test_a_large_upload_takes_little_memory(here: httpx.Client, upstream: Far, announced: bool) -> None:
    """128 MB go through, and caller, proxy and far side together, which share this process, take less than 48 MB."""
    counted: list[int] = []

    def answer(link: Link) -> None:
        counted.append(sum(len(piece) for piece in link.pieces()))
        link.answer(b'{"id": "file-1", "object": "file"}', content_type="application/json")

    upstream.answer = answer
    piece = b"x" * (256 * 1024)
    headers = {"content-length": str(128 * MB)} if announced else {}
    with Watch() as watch:
        got = here.post("/files", content=(piece for _ in range(512)), headers=headers)
    assert (got.status_code, counted) == (200, [128 * MB])
    assert watch.added < 48 * MB, f"{watch.added / MB:.0f} MB"
    assert ended().state == "done"
    assert Body.objects.get(attempt=0).size == (128 * MB if announced else 0)


def test_a_large_download_takes_little_memory_and_is_not_kept(here: httpx.Client, upstream: Far) -> None:
    piece = b"x" * (256 * 1024)

    def answer(link: Link) -> None:
        link.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n")
        link.say(b"Content-Length: %d\r\nConnection: close\r\n\r\n" % (128 * MB))
        for _ in range(512):
            link.say(piece)

    upstream.answer = answer
    with Watch() as watch, here.stream("GET", "/files/file-1/content") as got:
        assert (got.headers["content-length"], sum(len(part) for part in got.iter_raw())) == (str(128 * MB), 128 * MB)
    assert watch.added < 48 * MB, f"{watch.added / MB:.0f} MB"
    assert ended().state == "done"
    assert (Body.objects.get(attempt=1).size, len(Body.objects.get(attempt=1).text) < 100_000) == (128 * MB, True)


def test_events_come_as_they_are_sent(here: httpx.Client, upstream: Far) -> None:
    go_on = threading.Event()
    first, last = b'data: {"type":"x"}\n\n', b"data: [DONE]\n\n"

    def answer(link: Link) -> None:
        link.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n", first)
        assert go_on.wait(30)
        link.say(last)

    upstream.answer = answer
    with here.stream("POST", "/chat/completions", json={"stream": True}) as got:
        parts = got.iter_raw()
        assert next(parts) == first, "the first event came before the second was sent"
        go_on.set()
        assert b"".join(parts) == last
    assert ended().state == "done"


def leave(here: httpx.Client, method: str, path: str, body: bytes, after: bytes = b"", size: int = 0) -> socket.socket:
    """A caller on a plain socket, who has sent `body` (of `size`, if that is more) and read as far as `after`."""
    host, port = here.base_url.host, here.base_url.port
    link = socket.create_connection((host, port or 80))
    head = f"{method} {here.base_url.path.rstrip('/')}{path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    head += f"authorization: {here.headers['authorization']}\r\ncontent-length: {size or len(body)}\r\n\r\n"
    link.sendall(head.encode() + body)
    link.settimeout(10)
    got = b""
    while after not in got:
        got += link.recv(65536)
    return link


def test_a_caller_who_leaves_in_mid_stream_closes_openais_side_at_once(here: httpx.Client, upstream: Far) -> None:
    closed = threading.Event()
    first = b'data: {"type":"response.created","response":{"id":"resp_9","object":"response"}}\n\n'

    def answer(link: Link) -> None:
        link.body()
        link.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n", first)
        assert link.hung_up(60)
        closed.set()

    upstream.answer = answer
    caller = leave(here, "POST", "/responses", b'{"stream": true}', after=b"resp_9")
    caller.close()
    assert closed.wait(30)  # nothing else ends this stream
    assert (ended().state, ended().object_id, ended().error_code) == ("cancelled", "resp_9", "client_left")


@pytest.mark.parametrize(("method", "state"), [("GET", "cancelled"), ("POST", "unknown")])
def test_a_caller_who_leaves_before_the_answer_closes_it_too(
    here: httpx.Client, upstream: Far, method: str, state: str
) -> None:
    """A POST that was sent whole may be carried out all the same, so its outcome is not known."""
    came, closed = threading.Event(), threading.Event()

    def answer(link: Link) -> None:
        link.body()
        came.set()
        if link.hung_up(60):
            closed.set()

    upstream.answer = answer
    caller = leave(here, method, "/responses", b"{}")
    assert came.wait(30)
    caller.close()
    assert closed.wait(30)
    assert (ended().state, ended().error_code) == (state, "client_left")


def test_a_caller_who_leaves_after_a_large_upload_closes_it_too(here: httpx.Client, upstream: Far) -> None:
    came, closed = threading.Event(), threading.Event()

    def answer(link: Link) -> None:
        link.body()
        time.sleep(0.2)
        came.set()
        if link.hung_up(60):
            closed.set()

    upstream.answer = answer
    caller = leave(here, "POST", "/audio/transcriptions", b"x" * (4 * MB))
    assert came.wait(30)
    caller.close()
    assert closed.wait(30), "nobody noticed that the caller had left"
    assert (ended().state, ended().error_code) == ("unknown", "client_left")


def test_a_caller_who_leaves_in_mid_upload_has_done_nothing(here: httpx.Client, upstream: Far) -> None:
    ends = threading.Event()

    def answer(link: Link) -> None:
        try:
            link.body()
        finally:
            ends.set()

    upstream.answer = answer
    caller = leave(here, "POST", "/files", b"x" * (4 * MB), size=64 * MB)
    wait_until(lambda: Call.objects.filter(state="sending").exists())
    caller.close()
    assert ends.wait(30) and upstream.troubles
    assert (ended().state, ended().error_code) == ("cancelled", "client_left")


def test_openais_package_comes_back_when_told_and_only_then(here: httpx.Client, upstream: Far) -> None:
    """What the throttle refuses it asks again after the time that was named; what cannot succeed it asks once."""
    sdk = OpenAI(base_url=str(here.base_url), api_key=here.headers["authorization"].split()[1], max_retries=3)
    upstream.answer = lambda link: link.answer(b'{"object": "list", "data": []}', content_type="application/json")
    Installation.objects.update(throttle_limit=1, throttle_seconds=1, excess="reject")
    began = time.monotonic()
    for _ in range(2):
        assert sdk.models.list().data == []
    assert 0.9 < time.monotonic() - began < 5
    wait_until(lambda: sorted(Call.objects.values_list("state", flat=True)) == ["done", "done", "rejected"])
    with pytest.raises(AuthenticationError, match="no valid Patchbay token"):
        sdk.with_options(api_key="pbt_wrong").models.list()
    knocks.write()
    assert Knock.objects.get().count == 1


def test_an_answer_that_breaks_off_breaks_off_for_the_caller(here: httpx.Client, upstream: Far) -> None:
    def answer(link: Link) -> None:
        link.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        link.say(b'12\r\ndata: {"type":"x"}\r\n')

    upstream.answer = answer
    with pytest.raises(httpx.RemoteProtocolError), here.stream("POST", "/responses", json={"stream": True}) as got:
        got.read()
    assert ended().state == "unknown"
