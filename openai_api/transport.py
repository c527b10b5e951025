"""The wire, and the only importer of httpx. One request, once; retries and rows are the business of the steps above.

Failures are told apart by whether OpenAI may have seen the request. The classes of httpx do not say that behind the
aiohttp transport (a connection that was closed while waiting for the answer comes as ConnectTimeout), so the cause
underneath is asked first.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import aiohttp
import httpx
import yarl

from logs import redaction
from openai_api import errors, guard
from openai_api.upload import Upload

CONNECT_SECONDS = 10.0
# No answer is read whole into memory beyond this; what is larger is passed on as it comes.
MOST_BYTES = 256 * 1024 * 1024
# Nobody asked for a packed answer: it is unpacked no further than this.
MOST_UNPACKED = 16 * 1024 * 1024
Content = bytes | AsyncIterable[bytes]
_wires: WeakKeyDictionary[asyncio.AbstractEventLoop, Wire | HttpxWire] = WeakKeyDictionary()


@dataclass(slots=True)
class Request:
    """One HTTP request to make. `repeatable` is true for methods that change nothing; `timeout` is in seconds.

    Its body is `content`, or `stream` where it is too large to be held. `unlogged` are values that nothing written may hold.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, Any] | None = None
    content: bytes = b""
    stream: Upload | None = None
    timeout: float = 60.0
    unlogged: tuple[str, ...] = field(default=(), repr=False)

    @property
    def taken(self) -> bool:
        """Whether the far side may have the whole body."""
        return self.stream is None or self.stream.whole

    @property
    def once(self) -> bool:
        """Whether its body is gone when it was sent."""
        return self.stream is not None and not self.stream.repeatable

    @property
    def repeatable(self) -> bool:
        return self.method in ("GET", "HEAD")

    def forget_key(self, said: bytes) -> bytes:
        """What the far side said, as it may be written and shown: some repeat the key that they refuse."""
        return redaction.leave_out(redaction.forget(said, self._key), self.unlogged)

    def forgetter(self) -> redaction.Forgetter:
        """The same for what it says piece by piece."""
        return redaction.Forgetter(self._key)

    @property
    def _key(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


class Answer(NamedTuple):
    """What a wire brings: the status, the headers as they came, and the body, still to come."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    stream: httpx.AsyncByteStream


class Wire:
    """aiohttp's connections, and no more than that: the ready-made bridge between httpx and them cost a call as much again
    as aiohttp itself (see `tests/bench`). Raises aiohttp's own errors."""

    def __init__(self) -> None:
        self._session = guard.session()

    async def ask(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], body: Content, connect: float, read: float
    ) -> Answer:
        """One request, once. `connect` and `read` are the longest waits for the connection and between bytes, in seconds."""
        response = await self._session.request(
            method,
            _dialled(url),
            headers=headers,
            data=body or None,
            allow_redirects=False,
            timeout=_timeout(connect, read),
        )
        return Answer(response.status, response.raw_headers, _Body(response))

    async def aclose(self) -> None:
        await self._session.close()


class HttpxWire:
    """The same over any transport of httpx's; tests put a function there (`httpx.MockTransport`)."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def ask(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], body: Content, connect: float, read: float
    ) -> Answer:
        seconds = {"connect": connect, "read": read, "pool": None}
        named = httpx.Headers(dict(headers), encoding="latin-1")
        request = httpx.Request(method, url, headers=named, content=body, extensions={"timeout": seconds})
        response = await self._inner.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - an asynchronous transport gives that
        return Answer(response.status_code, response.headers.raw, response.stream)

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Body(httpx.AsyncByteStream):
    """The bytes of an answer as they come, packed or not."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.content.iter_any():
            yield chunk

    async def whole(self) -> bytes:
        return await self._response.read()

    async def aclose(self) -> None:
        # A connection whose answer was read to its end is kept, any other is closed with it.
        self._response.release() if self._response.content.at_eof() else self._response.close()


@lru_cache(maxsize=1024)
def _dialled(url: httpx.URL) -> yarl.URL:
    return yarl.URL(str(url), encoded=True)


@lru_cache(maxsize=256)
def _timeout(connect: float, read: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(sock_connect=connect, sock_read=read)


def wire() -> Wire | httpx.AsyncBaseTransport:
    """What calls go over: ours, or what httpx calls a transport."""
    return Wire()


def _wire() -> Wire | HttpxWire:
    """One for each event loop, so that connections are kept and reused."""
    loop = asyncio.get_running_loop()
    found = _wires.get(loop)
    if found is None:
        made = wire()
        found = _wires[loop] = made if isinstance(made, Wire) else HttpxWire(made)
    return found


async def close() -> None:
    open_wire = _wires.pop(asyncio.get_running_loop(), None)
    if open_wire is not None:
        await open_wire.aclose()


class Response:
    """An answer whose headers have come. Read it whole with `read`, or as it comes with `chunks`; then `close` it.

    `headers` have lower-case names and no key in them; `length` is the announced size in bytes, -1 when none was. `at` is when
    they came.
    """

    def __init__(self, answer: Answer, request: Request) -> None:
        self._stream = answer.stream
        self._request = request
        self.status = answer.status
        self.at = datetime.now(UTC)
        raw = answer.headers
        together = b"\n".join([value for _, value in raw])
        if request.forget_key(together) != together:
            raw = [(name, request.forget_key(value)) for name, value in raw]
        self.headers: dict[str, str] = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}
        length = self.headers.get("content-length", "")
        self.length = int(length) if length.isascii() and length.isdigit() else -1

    async def read(self, most: int = MOST_BYTES) -> bytes:
        """The whole body, decompressed. Raises AnswerTooLarge beyond `most` bytes."""
        if self.length > most:
            raise errors.AnswerTooLarge(most, self.status)
        found = bytearray()
        if 0 <= self.length <= most and isinstance(self._stream, _Body):
            try:
                return self._decompressed(await self._stream.whole(), most)
            except Exception as error:
                raise broken(self._request, error) from error
        async for chunk in self.chunks():
            found += chunk
            if len(found) > most:
                raise errors.AnswerTooLarge(most, self.status)
        return self._decompressed(bytes(found), most)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body byte for byte as it comes."""
        try:
            async for chunk in self._stream:
                yield chunk
        except Exception as error:
            raise broken(self._request, error) from error

    def _decompressed(self, content: bytes, most: int) -> bytes:
        """We ask for plain bodies. One that comes packed is unpacked to `most` or MOST_UNPACKED, whichever is less."""
        if self.headers.get("content-encoding", "identity") not in ("gzip", "deflate"):
            return content
        del self.headers["content-encoding"]
        most = min(most, MOST_UNPACKED)
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            plain = unpacking.decompress(content, most)
        except zlib.error as error:
            raise errors.NotOpenAI("The answer says that it is packed and cannot be unpacked.") from error
        if unpacking.unconsumed_tail:
            raise errors.AnswerTooLarge(most, self.status)
        return plain

    async def close(self) -> None:
        await self._stream.aclose()


async def send(request: Request, on_sent: Callable[[], None] | None = None) -> Response:
    """Send once and return when the headers have come. Raises NotSent, OutcomeUnknown or TimedOut.

    `on_sent` is called when the last byte of the body was handed to the network.
    """
    try:
        url, headers, content = _prepared(request, on_sent)
        guard.check_host(url.scheme, url.host, url.port)
        asked = _wire().ask(request.method, url, headers, content, _to_connect(request), request.timeout)
        return Response(await asked, request)
    except Exception as error:
        raise broken(request, error) from error


def head_of(request: Request) -> tuple[str, dict[str, str]]:
    """The address and the headers that `send` puts on the wire, as they may be shown: without the key."""
    url, headers, content = _prepared(request)
    built = httpx.Request(request.method, url, headers=httpx.Headers(headers, encoding="latin-1"), content=content)
    return redaction.clean(str(built.url)), redaction.headers(built.headers.multi_items())


def _prepared(request: Request, on_sent: Callable[[], None] | None = None) -> tuple[httpx.URL, dict[str, str], Content]:
    url = _url(request.url)
    if request.query:
        url = httpx.URL(url, params=request.query)
    content: Content = request.content if request.stream is None else request.stream
    headers = {"accept-encoding": "identity", **request.headers}
    if on_sent is not None and content:
        if isinstance(content, bytes):
            headers["content-length"] = str(len(content))
        content = _told(content, on_sent)
    return url, headers, content


def _to_connect(request: Request) -> float:
    """Less than the whole attempt may take, by more than aiohttp rounds up: who was never reached has seen nothing."""
    return min(CONNECT_SECONDS, request.timeout * 0.8)


async def _told(content: bytes | AsyncIterable[bytes], on_sent: Callable[[], None]) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
    else:
        async for chunk in content:
            yield chunk
    on_sent()


@lru_cache(maxsize=1024)
def _url(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL:
        guard.check_url(url.partition("?")[0])
        raise


def broken(request: Request, error: Exception) -> errors.CallError:
    """What a failure of the wire means for the caller."""
    if isinstance(error, errors.CallError):
        return error
    host = urlsplit(request.url).hostname or request.url
    cause: BaseException = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error
    return _not_sent(host, cause, _to_connect(request)) or _sent(request, cause)


def _not_sent(host: str, cause: BaseException, seconds: float) -> errors.CallError | None:
    inner = _chain(cause)
    own = next((one for one in inner if isinstance(one, errors.AddressRefused)), None)
    if own is not None:
        return own
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return errors.NoSuchHost(f"No such host: {host}. Check the base URL of the connection for a typing error.")
    if any(isinstance(one, (ssl.SSLError, aiohttp.ClientSSLError, ssl.CertificateError)) for one in inner):
        return errors.TlsFailed(
            f"No secure connection to {host}: its certificate was not accepted. "
            "Check the address, this server's clock and its certificates."
        )
    if isinstance(cause, (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout)):
        return errors.ConnectTimedOut(
            f"{host} did not take the connection within {seconds:g} s. Check the address and the network."
        )
    if isinstance(cause, (aiohttp.ClientConnectorError, httpx.ConnectError)):
        return errors.ConnectionRefused(
            f"{host} refused the connection. Check the address and port, and that the server runs."
        )
    if isinstance(cause, (httpx.UnsupportedProtocol, httpx.InvalidURL, aiohttp.InvalidURL, UnicodeError)):
        return errors.AddressRefused(f"The address {host} cannot be dialled. Check the base URL of the connection.")
    return None


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in found:
        found.append(step)
        step = step.__cause__ or step.__context__
    os_error = getattr(error, "os_error", None)
    return [*found, os_error] if os_error is not None else found


def _sent(request: Request, cause: BaseException) -> errors.CallError:
    slow = isinstance(cause, (TimeoutError, httpx.TimeoutException))
    if not request.taken:
        how = f"was not taken within {request.timeout:g} s" if slow else "was cut off by the other side"
        return errors.BodyCutOff(f"The body {how}, so that nothing was carried out. Send it again.")
    what = f"No answer within {request.timeout:g} s" if slow else "The connection broke before the answer was whole"
    if request.repeatable:
        return errors.TimedOut(f"{what}. Nothing was changed by this request; try again.")
    return errors.OutcomeUnknown(
        f"{what}. OpenAI may have carried it out and charged for it. Look at OpenAI before you send it again."
    )
