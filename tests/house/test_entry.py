"""What stands between the network and the rooms: who is believed about a client, and how an answer leaves."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest
import uvicorn

from config.entry import told_by_proxies
from config.protocol import Corked, Protocol
from tests.conftest import free_port, wait_until

LYON, PROXY, STRANGER = "203.0.113.9", ("127.0.0.1", 4711), ("198.51.100.7", 4711)
SAYS = [(b"host", b"patchbay.example"), (b"x-forwarded-for", LYON.encode()), (b"x-forwarded-proto", b"https")]


def seen(client: tuple[str, int], headers: list[tuple[bytes, bytes]]) -> tuple[str, str]:
    """The client and the scheme that an application inside sees."""
    found = []

    async def inner(scope: dict[str, Any], receive: Any, send: Any) -> None:
        found.append((scope["client"][0], scope["scheme"]))

    scope = {"type": "http", "client": client, "scheme": "http", "headers": headers}
    asyncio.run(told_by_proxies(inner)(scope, None, None))  # type: ignore[arg-type]
    return found[0]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_reverse_proxy_on_this_machine_is_believed(address):
    assert seen((address, 4711), SAYS) == (LYON, "https")


def test_nobody_else_is():
    assert seen(STRANGER, SAYS) == (STRANGER[0], "http")


def test_a_request_that_no_proxy_speaks_of_is_what_it_is():
    assert seen(PROXY, SAYS[:1]) == (PROXY[0], "http")


class Inner(asyncio.Transport):
    """A transport that notes what reaches it."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[bytes] = []
        self.closing = False

    def write(self, data: Any) -> None:
        self.noted.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.noted.append(b"<closed>")
        self.closing = True

    abort = close

    def get_write_buffer_size(self) -> int:
        return 7


@pytest.fixture
def inner() -> Inner:
    return Inner()


def in_a_loop(inner: Inner, *steps: Any) -> list[bytes]:
    """Each of `steps` gets the corked transport in a step of the loop of its own; gives what reached the one within."""

    async def run() -> None:
        corked = Corked(inner, asyncio.get_running_loop())
        for step in steps:
            step(corked)
            await asyncio.sleep(0)

    asyncio.run(run())
    return inner.noted


def head_and_body(corked: Corked) -> None:
    corked.write(b"head ")
    corked.write(b"body")


def test_head_and_body_leave_together(inner):
    assert in_a_loop(inner, head_and_body) == [b"head body"]


def test_what_comes_later_does_not_wait_for_more(inner):
    assert in_a_loop(inner, head_and_body, lambda corked: corked.write(b"event")) == [b"head body", b"event"]


def test_what_was_written_leaves_before_the_end(inner):
    assert in_a_loop(inner, lambda corked: (head_and_body(corked), corked.close())) == [b"head body", b"<closed>"]


def test_nothing_leaves_once_it_is_broken_off(inner):
    assert in_a_loop(inner, lambda corked: (corked.write(b"half"), corked.abort())) == [b"<closed>"]


def test_nothing_is_written_to_a_connection_that_is_gone(inner):
    def gone(corked: Corked) -> None:
        corked.write(b"too late")
        inner.closing = True

    assert in_a_loop(inner, gone) == []


def test_all_else_is_the_transport_within(inner):
    sizes: list[int] = []
    in_a_loop(inner, lambda corked: sizes.append(corked.get_write_buffer_size()))
    assert sizes == [7]


def test_who_is_alone_has_the_answer_before_we_have_written_about_it():
    read, seen_first = threading.Event(), []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})
        seen_first.append(read.wait(5))  # the whole loop stands still meanwhile, as while a long answer is read

    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(application, port=port, log_config=None, access_log=False, http=Protocol, lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    assert httpx.get(f"http://127.0.0.1:{port}", trust_env=False).text == "done"
    read.set()
    server.should_exit = True
    thread.join(30)
    assert seen_first == [True]
