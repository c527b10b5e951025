"""Far sides that misbehave at the level of bytes, and the proxy served to real sockets within the test's own process."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable

import uvicorn

from config.protocol import Protocol
from tests.conftest import wait_until

Behaviour = Callable[[socket.socket], None]


class FarSide:
    """Listens; `behave` deals with each connection. `requests` are what it read, `closed` counts who hung up on it."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with link:
            link.settimeout(20)
            try:
                self.behave(link)
            except OSError:
                return

    def close(self) -> None:
        self.listener.close()


def read_request(link: socket.socket) -> bytes:
    """A whole request with a length or in chunks."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += _some(link)
    head, _, body = found.partition(b"\r\n\r\n")
    named = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    if b"chunked" in named.get(b"transfer-encoding", b""):
        while not body.endswith(b"0\r\n\r\n"):
            body += _some(link)
    while len(body) < int(named.get(b"content-length", b"0")):
        body += _some(link)
    return head + b"\r\n\r\n" + body


def _some(link: socket.socket) -> bytes:
    chunk = link.recv(1 << 16)
    if not chunk:
        raise ConnectionError("The other side hung up.")
    return chunk


def reset(link: socket.socket) -> None:
    """Close so that the other side sees a reset."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()


def wait_for_end(link: socket.socket) -> None:
    """Say nothing until the other side hangs up."""
    while link.recv(1 << 16):
        pass


class Web:
    """An ASGI application on a free port, in a thread of its own."""

    def __init__(self, application: object) -> None:
        config = uvicorn.Config(application, port=0, lifespan="off", log_config=None, access_log=False, http=Protocol)  # type: ignore[arg-type]
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.thread.start()
        wait_until(lambda: self.server.started)
        self.address = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    async def _serve(self) -> None:
        from openai_api import transport

        await self.server.serve()
        await transport.close()

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(30)
