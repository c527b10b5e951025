"""The wire itself: aiohttp's connections, or what httpx calls a transport. Together with `transport` the only importer of either.

aiohttp keeps the connections, dials, speaks TLS, and reads answers. A request whose body is small and at hand, as nearly all are,
is written to such a connection in one piece: aiohttp's session, made for cookies, redirects, proxies and uploads, takes
three times as long for that, and httpx's bridge to it as long again (`tests/bench`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import aiohttp
import httpx
import yarl
from aiohttp.http import StreamWriter
from multidict import CIMultiDict

from openai_api import guard

Content = bytes | AsyncIterable[bytes]
OnSent = Callable[[], None]
# A body up to this size fits into the system's own buffer beside its head: writing it waits for nobody.
AT_ONCE = 32 * 1024
# Methods whose requests announce no length where they have no body.
BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class Address(NamedTuple):
    """A URL as each of the libraries takes it; `origin` is what a connection is kept for, `target` what is asked of it."""

    origin: tuple[str, str, int | None]
    target: str
    of_httpx: httpx.URL
    of_aiohttp: yarl.URL


@lru_cache(maxsize=1024)
def address(url: str) -> Address:
    """Raises httpx.InvalidURL."""
    parsed = httpx.URL(url)
    same = yarl.URL(str(parsed), encoded=True)
    return Address((parsed.scheme, parsed.host, parsed.port), same.raw_path_qs, parsed, same)


class Answer(NamedTuple):
    """What a wire brings: the status, the headers as they came, and the body, still to come."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    stream: httpx.AsyncByteStream


class Wire:
    """Over aiohttp. Raises aiohttp's own errors."""

    def __init__(self) -> None:
        self._session = guard.session()
        self._origins: dict[tuple[str, str, int | None], aiohttp.ClientRequest] = {}

    async def ask(
        self,
        method: str,
        url: Address,
        headers: Mapping[str, str],
        body: Content,
        connect: float,
        read: float,
        on_sent: OnSent | None = None,
    ) -> Answer:
        """One request, once. `connect` is the longest wait for the connection, `read` that between two pieces of a body that is
        read piece by piece, in seconds; how long the rest may take, whoever asks has to bound.

        `on_sent` is called when the last byte of the body was handed to the network.
        """
        timeout = _timeout(connect, read)
        if isinstance(body, bytes) and len(body) <= AT_ONCE:
            return await self._at_once(method, url, headers, body, timeout, on_sent)
        if on_sent is not None:
            if isinstance(body, bytes):
                headers = {**headers, "content-length": str(len(body))}
            body = _told(body, on_sent)
        response = await self._session.request(
            method,
            url.of_aiohttp,
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=timeout,
        )
        return Answer(response.status, response.raw_headers, Body(response.content, response))

    async def _at_once(
        self,
        method: str,
        url: Address,
        headers: Mapping[str, str],
        body: bytes,
        timeout: aiohttp.ClientTimeout,
        on_sent: OnSent | None,
    ) -> Answer:
        connection = await self._connected(url, timeout)
        try:
            protocol = connection.protocol
            assert protocol is not None  # noqa: S101 - it was given just now
            protocol.set_response_params(
                skip_payload=method == "HEAD",
                read_until_eof=True,
                auto_decompress=False,
            )
            writer = StreamWriter(protocol, asyncio.get_running_loop())
            await writer.write_headers(f"{method} {url.target} HTTP/1.1", _head(method, url, headers, len(body)))
            await writer.write_eof(body)
            if on_sent is not None:
                on_sent()
            message, content = await protocol.read()
            while message.code < 200 and message.code != 101:
                message, content = await protocol.read()
        except BaseException:
            connection.close()
            raise
        return Answer(message.code, message.raw_headers, Body(content, connection, timeout.sock_read))

    async def _connected(self, url: Address, timeout: aiohttp.ClientTimeout) -> aiohttp.connector.Connection:
        """A connection that was kept, or a new one."""
        connector = self._session.connector
        assert connector is not None  # noqa: S101 - the session is closed together with this
        # All that a connector wants to know stands in a request's origin.
        like = self._origins.get(url.origin)
        if like is None:
            loop = asyncio.get_running_loop()
            like = self._origins[url.origin] = aiohttp.ClientRequest("GET", url.of_aiohttp.origin(), loop=loop)
        try:
            return await connector.connect(like, [], timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError(f"Connection timeout to host {like.url}") from error

    async def aclose(self) -> None:
        await self._session.close()


class HttpxWire:
    """The same over any transport of httpx's; tests put a function there (`httpx.MockTransport`)."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def ask(
        self,
        method: str,
        url: Address,
        headers: Mapping[str, str],
        body: Content,
        connect: float,
        read: float,
        on_sent: OnSent | None = None,
    ) -> Answer:
        seconds = {"connect": connect, "read": read, "pool": None}
        named = httpx.Headers(dict(headers), encoding="latin-1")
        request = httpx.Request(method, url.of_httpx, headers=named, content=body, extensions={"timeout": seconds})
        response = await self._inner.handle_async_request(request)
        if on_sent is not None:
            on_sent()
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - an asynchronous transport gives that
        return Answer(response.status_code, response.headers.raw, response.stream)

    async def aclose(self) -> None:
        await self._inner.aclose()


class Body(httpx.AsyncByteStream):
    """The bytes of an answer as they come, packed or not, and the connection that they come from."""

    def __init__(
        self,
        content: aiohttp.StreamReader,
        held: aiohttp.ClientResponse | aiohttp.connector.Connection,
        between: float | None = None,
    ) -> None:
        self._content, self._held, self._between = content, held, between

    async def __aiter__(self) -> AsyncIterator[bytes]:
        protocol = self._held.protocol if isinstance(self._held, aiohttp.connector.Connection) else None
        # The end of a body stops its timer; one that has come whole has had its end.
        if protocol is not None and not self._content.is_eof():
            protocol.read_timeout = self._between
            protocol.start_timeout()
        async for chunk in self._content.iter_any():
            yield chunk

    async def whole(self) -> bytes:
        return await self._content.read()

    async def aclose(self) -> None:
        # A connection whose answer was read to its end is kept, any other is closed with it.
        self._held.release() if self._content.at_eof() else self._held.close()


def _head(method: str, url: Address, headers: Mapping[str, str], size: int) -> CIMultiDict[str]:
    """What HTTP itself wants (RFC 9112 §3.2, RFC 9110 §8.6), and the request's own."""
    found = CIMultiDict({"Host": url.of_aiohttp.host_port_subcomponent or ""})
    found.update(headers)
    if size or method not in BODILESS:
        found["Content-Length"] = str(size)
    return found


async def _told(content: Content, on_sent: OnSent) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
    else:
        async for chunk in content:
            yield chunk
    on_sent()


@lru_cache(maxsize=256)
def _timeout(connect: float, read: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(sock_connect=connect, sock_read=read)
