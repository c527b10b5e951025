"""The wire, and the only importer of httpx. One request, once; retries and rows are the business of the steps above.

Failures are told apart by whether OpenAI may have seen the request. The classes of httpx do not say that behind the
aiohttp transport (a connection that was closed while waiting for the answer comes as ConnectTimeout), so the cause
underneath is asked first.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import aiohttp
import httpx
import yarl
from multidict import CIMultiDict

from logs import redaction
from openai_api import errors, guard
from openai_api.upload import Upload

CONNECT_SECONDS = 10.0
# No answer is read whole into memory beyond this; what is larger is passed on as it comes.
MOST_BYTES = 256 * 1024 * 1024
# Nobody asked for a packed answer: it is unpacked no further than this.
MOST_UNPACKED = 16 * 1024 * 1024
_wires: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncBaseTransport] = WeakKeyDictionary()


@dataclass(frozen=True)
class Request:
    """One HTTP request to make. `repeatable` is true for methods that change nothing; `timeout` is in seconds.

    Its body is `content`, or `stream` where it is too large to be held.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, Any] | None = None
    content: bytes = b""
    stream: Upload | None = None
    timeout: float = 60.0

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

    @cached_property
    def _key(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def forget_key(self, said: bytes) -> bytes:
        """What the far side said, as it may be written and shown: some repeat the key that they refuse."""
        return redaction.forget(said, self._key)

    def forgetter(self) -> redaction.Forgetter:
        """The same for what it says piece by piece."""
        return redaction.Forgetter(self._key)


class Wire(httpx.AsyncBaseTransport):
    """httpx's requests over aiohttp's connections, and no more than that: the ready-made bridge between them cost a call as
    much again as aiohttp itself (see `tests/bench`). Raises aiohttp's own errors."""

    def __init__(self) -> None:
        self._session = guard.session()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        seconds = request.extensions["timeout"]
        try:
            data: Any = request.content or None
        except httpx.RequestNotRead:
            data = request.stream
        response = await self._session.request(
            request.method,
            _dialled(request.url),
            headers=_multidict(request.headers.raw),
            data=data,
            allow_redirects=False,
            timeout=_timeout(seconds["connect"], seconds["read"]),
        )
        return httpx.Response(response.status, headers=response.raw_headers, stream=_Body(response))

    async def aclose(self) -> None:
        await self._session.close()


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


def _multidict(raw: list[tuple[bytes, bytes]]) -> CIMultiDict[str]:
    """Bodies of unknown length are sent in chunks, which aiohttp says in a header of its own."""
    pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)
    return CIMultiDict((name, value) for name, value in pairs if name.lower() != "transfer-encoding")


def wire() -> httpx.AsyncBaseTransport:
    """What httpx calls a transport. Tests put a function in its place (`httpx.MockTransport`)."""
    return Wire()


def _wire() -> httpx.AsyncBaseTransport:
    """One for each event loop, so that connections are kept and reused.

    It is spoken to without `httpx.AsyncClient`: cookies, redirects and sign-in are not wanted, and cost half the time.
    """
    loop = asyncio.get_running_loop()
    if loop not in _wires:
        _wires[loop] = wire()
    return _wires[loop]


async def close() -> None:
    open_wire = _wires.pop(asyncio.get_running_loop(), None)
    if open_wire is not None:
        await open_wire.aclose()


class Response:
    """An answer whose headers have come. Read it whole with `read`, or as it comes with `chunks`; then `close` it.

    `headers` have lower-case names and no key in them; `length` is the announced size in bytes, -1 when none was. `at` is when
    they came.
    """

    def __init__(self, inner: httpx.Response, request: Request) -> None:
        self._inner = inner
        self._request = request
        self.status = inner.status_code
        self.at = datetime.now(UTC)
        raw = inner.headers.raw
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
        if 0 <= self.length <= most and isinstance(self._inner.stream, _Body):
            try:
                return self._decompressed(await self._inner.stream.whole(), most)
            except Exception as error:
                raise broken(self._request, error) from error
        async for chunk in self.chunks():
            found += chunk
            if len(found) > most:
                raise errors.AnswerTooLarge(most, self.status)
        return self._decompressed(bytes(found), most)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body byte for byte as it comes."""
        stream = self._inner.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - a wire gives nothing else
        try:
            async for chunk in stream:
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
        await self._inner.aclose()


async def send(request: Request, on_sent: Callable[[], None] | None = None) -> Response:
    """Send once and return when the headers have come. Raises NotSent, OutcomeUnknown or TimedOut.

    `on_sent` is called when the last byte of the body was handed to the network.
    """
    try:
        url = _url(request.url)
        guard.check_host(url.scheme, url.host, url.port)
        return Response(await _wire().handle_async_request(_built(request, on_sent)), request)
    except Exception as error:
        raise broken(request, error) from error


def head_of(request: Request) -> tuple[str, dict[str, str]]:
    """The address and the headers that `send` puts on the wire, as they may be shown: without the key."""
    built = _built(request)
    return redaction.clean(str(built.url)), redaction.headers(built.headers.multi_items())


def _built(request: Request, on_sent: Callable[[], None] | None = None) -> httpx.Request:
    content: bytes | AsyncIterable[bytes] = request.content if request.stream is None else request.stream
    headers = {"accept-encoding": "identity", **request.headers}
    if on_sent is not None and content:
        if isinstance(content, bytes):
            headers["content-length"] = str(len(content))
        content = _told(content, on_sent)
    seconds = {"connect": _to_connect(request), "read": request.timeout, "pool": None}
    return httpx.Request(
        request.method,
        _url(request.url),
        params=request.query,
        headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        content=content,
        extensions={"timeout": seconds},
    )


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
