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
        request = transport.Request(method, url, content=b"{}", timeout=timeout)
        try:
            async with asyncio.timeout(timeout):
                response = await transport.send(request)
                try:
                    return await response.read()
                finally:
                    await response.close()
        except TimeoutError as error:
            raise transport.broken(request, error) from error
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
        "http://0177.1/v1",
        "http://127.1/v1",
        "http://127.0.0.1./v1",
        "http://①②⑦.0.0.1/v1",
        "http://127。0。0。1/v1",
        "http://[2002:7f00:1::]/v1",
        "http://[fe80::1%25lo]/v1",
    ],
)
def test_private_and_special_addresses_are_never_dialled(url):
    with pytest.raises(errors.AddressRefused, match="private or special"):
        send(url)


@pytest.mark.parametrize("host", ["2130706433", "127.1", "127。0。0。1", "0x7f.1"])
def test_no_socket_is_made_for_a_number_that_slipped_through(server, settings, host):
    """What a URL library makes of a host is not always what was read out of it; the socket has the last word."""
    seen = []
    port = server(seen.append).split(":")[2].split("/")[0]
    settings.ALLOW_PRIVATE_ADDRESSES = ()
    with pytest.raises(errors.AddressRefused):
        send(f"http://{host}:{port}/v1")
    assert not seen


@pytest.mark.parametrize("addresses", [["10.0.0.8"], ["203.0.113.5", "10.0.0.8"], ["fd00::8"], ["::ffff:10.0.0.8"]])
def test_a_name_with_any_private_address_is_not_dialled(monkeypatch, addresses):
    resolve(monkeypatch, *addresses)
    with pytest.raises(errors.AddressRefused, match=r"api\.openai\.test is a private"):
        send("http://api.openai.test/v1")


def test_a_name_is_resolved_once_and_what_was_checked_is_dialled(server, settings, monkeypatch):
    """A name server that answers differently the second time gets no second time."""
    seen = []
    address = server(lambda link: seen.append(1) or link.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"))
    asked = resolve(monkeypatch, "127.0.0.1")
    assert send(address.replace("127.0.0.1", "rebinding.test")) == b""
    assert (asked, seen) == (["rebinding.test"], [1])


def resolve(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Every name has these addresses; gives the list of names that were asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def answer(host, port, *rest, **options):
        if not str(host).endswith(".test"):
            return real(host, port, *rest, **options)
        asked.append(host)
        return [row for address in addresses for row in real(address, port, *rest, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@pytest.mark.parametrize("host", ["a..b", "...", "a" * 70 + ".com", "1.2.3.4.5", "exa\0mple.com", "☃︎.com"])
def test_a_host_that_no_address_can_have_is_refused_in_words(host):
    with pytest.raises(errors.NotSent, match=r"cannot be dialled|No such host"):
        send(f"http://{host}/v1")


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


def test_the_timer_of_one_body_does_not_end_the_next_answer_of_its_connection(settings):
    settings.ALLOW_PRIVATE_ADDRESSES = LOOPBACK
    connections = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        for wait in (0.0, 0.6):
            await reader.readuntil(b"{}")
            await asyncio.sleep(wait)
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")

    async def ask(url: str, timeout: float) -> bytes:
        response = await transport.send(transport.Request("POST", url, content=b"{}", timeout=timeout))
        content = b"".join([chunk async for chunk in response.chunks()])
        await response.close()
        return content

    async def twice() -> list[bytes]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/responses"
        try:
            return [await ask(url, 0.3), await ask(url, 5.0)]
        finally:
            await transport.close()
            connections[0].close()
            server.close()

    assert asyncio.run(twice()) == [b"ok", b"ok"]
    assert len(connections) == 1
