"""A far side of plain sockets: what came over the wire is seen byte for byte, and so is what goes back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Link:
    """One connection, whose request's head was read. `head` is it as it came, without the empty line."""

    def __init__(self, link: socket.socket) -> None:
        self._link, self._left = link, b""
        self.head = self._until(b"\r\n\r\n")

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n")[0].decode("latin-1")

    @property
    def headers(self) -> dict[str, str]:
        pairs = (line.decode("latin-1").partition(":") for line in self.head.split(b"\r\n")[1:])
        return {name.lower(): value.strip() for name, _, value in pairs}

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes, by its length or in chunks (RFC 9112 §7.1)."""
        if self.headers.get("transfer-encoding") == "chunked":
            while size := int(self._until(b"\r\n"), 16):
                yield from self._exactly(size)
                self._until(b"\r\n")
            self._until(b"\r\n")
        else:
            yield from self._exactly(int(self.headers.get("content-length", 0)))

    def body(self) -> bytes:
        return b"".join(self.pieces())

    def say(self, *parts: bytes) -> None:
        self._link.sendall(b"".join(parts))

    def answer(self, body: bytes, status: str = "200 OK", **headers: str) -> None:
        named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status}\r\n{named}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.say(head.encode("latin-1"), body)

    def hung_up(self, seconds: float) -> bool:
        """Whether the other side closes within this time."""
        self._link.settimeout(seconds)
        try:
            while self._link.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True

    def _until(self, end: bytes) -> bytes:
        while end not in self._left:
            self._more()
        found, _, self._left = self._left.partition(end)
        return found

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            if not self._left:
                self._more()
            piece, self._left = self._left[:size], self._left[size:]
            size -= len(piece)
            yield piece

    def _more(self) -> None:
        came = self._link.recv(256 * 1024)
        if not came:
            raise ConnectionError("The caller hung up.")
        self._left += came


Answer = Callable[[Link], None]


class Far:
    """`answer` deals with each connection; `url` is the base URL; `troubles` are the connections that ended early."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        self.answer: Answer = lambda link: link.answer(b"{}", content_type="application/json")
        self.troubles: list[Exception] = []

    def serve(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._deal, args=(link,), daemon=True).start()

    def _deal(self, link: socket.socket) -> None:
        with link:
            try:
                self.answer(Link(link))
            except OSError as trouble:
                self.troubles.append(trouble)


@contextmanager
def far() -> Iterator[Far]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = Far(listener)
        threading.Thread(target=one.serve, daemon=True).start()
        yield one
        listener.shutdown(socket.SHUT_RDWR)
