"""The wire, over real sockets: which failures left nothing behind, and after which OpenAI may have done its work."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from openai_api import errors, guard, transport
from tests.conftest import free_port

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
Answer = Callable[[socket.socket], None]


@pytest.fixture
def server(settings) -> Iterator[Callable[[Answer], str]]:
    """`server(answer)` listens and lets `answer` deal with each connection after the request was read; gives the address."""
    settings.ALLOW_PRIVATE_ADDRESSES = LOOPBACK
    sockets = []

    def listen(answer: Answer) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        sockets.append(listener)

        def serve() -> None:
            while True:
                try:
                    link, _ = listener.accept()
                except OSError:
                    return
                with link:
                    link.recv(65536)
                    answer(link)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1/responses"

    yield listen
    for listener in sockets:
        listener.close()


def send(url: str, method: str = "POST", timeout: float = 5.0) -> bytes:
    async def once() -> bytes:
        try:
            response = await transport.send(transport.Request(method, url, content=b"{}", timeout=timeout))
            try:
                return await response.read()
            finally:
                await response.close()
        finally:
            await transport.close()

    return asyncio.run(once())


def test_a_refused_connection_left_nothing_behind(settings):
    settings.ALLOW_PRIVATE_ADDRESSES = LOOPBACK
    with pytest.raises(errors.ConnectionRefused):
        send(f"http://127.0.0.1:{free_port()}/v1")


def test_no_such_host():
    with pytest.raises(errors.NoSuchHost, match=r"nowhere\.invalid"):
        send("https://nowhere.invalid/v1")


def test_a_server_without_tls(server):
    address = server(lambda link: link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")).replace("http:", "https:")
    with pytest.raises(errors.TlsFailed):
        send(address)


def test_a_connection_closed_after_the_request_was_read_leaves_the_outcome_unknown(server):
    address = server(lambda link: None)
    with pytest.raises(errors.OutcomeUnknown):
        send(address)


def test_the_same_for_a_read_is_only_a_time_out_and_is_sent_once(server):
    seen = []
    address = server(lambda link: seen.append(1))
    with pytest.raises(errors.TimedOut):
        send(address, "GET")
    assert len(seen) == 1


def test_an_answer_that_breaks_off_leaves_the_outcome_unknown(server):
    address = server(lambda link: link.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"))
    with pytest.raises(errors.OutcomeUnknown):
        send(address)


def test_silence_after_the_request_leaves_the_outcome_unknown(server):
    done = threading.Event()
    address = server(lambda link: done.wait(5) and None)
    with pytest.raises(errors.OutcomeUnknown, match="No answer within 0.3 s"):
        send(address, timeout=0.3)
    done.set()


def test_a_redirect_is_answered_and_not_followed(server):
    followed = []
    address = server(
        lambda link: (
            followed.append(1) or link.sendall(b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n")
        )
    )
    assert send(address) == b"" and followed == [1]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/v1",
        "http://localhost/v1",
        "http://[::1]/v1",
        "http://[::ffff:127.0.0.1]/v1",
        "http://169.254.169.254/latest",
        "http://10.0.0.1/v1",
        "http://192.168.1.1/v1",
        "http://100.64.0.1/v1",
        "http://[fd00::1]/v1",
        "http://[64:ff9b::7f00:1]/v1",
        "http://224.0.0.1/v1",
        "http://0.0.0.0/v1",
        "http://2130706433/v1",
        "http://0x7f.1/v1",
    ],
)
def test_private_and_special_addresses_are_never_dialled(url):
    with pytest.raises((errors.AddressRefused, errors.NoSuchHost)):
        send(url)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("ftp://api.openai.com/v1", "https://"),
        ("https://user:secret@api.openai.com/v1", "user name"),
        ("https://api.openai.com/v1?key=1", "query"),
        ("https://", "host"),
        ("https://api.openai.com:99999/v1", "cannot be read"),
    ],
)
def test_a_base_url_is_checked_before_anything_is_dialled(url, word):
    with pytest.raises(errors.AddressRefused, match=word):
        guard.check_url(url)


def test_a_base_url_that_is_refused_does_not_show_the_password_in_it():
    with pytest.raises(errors.AddressRefused) as caught:
        guard.check_url("https://user:hunter2@api.openai.com/v1")
    assert "hunter2" not in caught.value.sentence


def test_the_sandbox_is_allowed_at_its_own_port_only(settings):
    settings.SANDBOX_URL = "http://127.0.0.1:8001/v1"
    guard.check_url("http://127.0.0.1:8001/v1")
    with pytest.raises(errors.AddressRefused):
        guard.check_url("http://127.0.0.1:5432/v1")
