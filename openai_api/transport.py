"""One request over the wire, once, and what its failure means. Retries and rows are the business of the steps above.

Failures are told apart by whether OpenAI may have seen the request. The classes of httpx do not say that behind the
aiohttp transport (a connection that was closed while waiting for the answer comes as ConnectTimeout), so the cause
underneath is asked first.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import aiohttp
import httpx

from logs import redaction
from openai_api import errors, guard
from openai_api.upload import Upload
from openai_api.wire import Address, Answer, Body, Content, HttpxWire, Wire, address

CONNECT_SECONDS = 10.0
# No answer is read whole into memory beyond this; what is larger is passed on as it comes.
MOST_BYTES = 256 * 1024 * 1024
# Nobody asked for a packed answer: it is unpacked no further than this.
MOST_UNPACKED = 16 * 1024 * 1024
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
        said = redaction.forget(said, self._key)
        return redaction.leave_out(said, self.unlogged) if self.unlogged else said

    def forgetter(self) -> redaction.Forgetter:
        """The same for what it says piece by piece."""
        return redaction.Forgetter(self._key)

    @property
    def _key(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


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

    `headers` have lower-case names and no key in them, and so has `raw`, where they stand one by one; `length` is the announced
    size in bytes, -1 when none was. `at` is when they came.
    """

    def __init__(self, answer: Answer, request: Request) -> None:
        self._stream = answer.stream
        self._request = request
        self.status = answer.status
        self.at = datetime.now(UTC)
        self.raw = [(name.lower(), value) for name, value in answer.headers]
        together = b"\n".join([value for _, value in self.raw])
        if request.forget_key(together) != together:
            self.raw = [(name, request.forget_key(value)) for name, value in self.raw]
        self.headers: dict[str, str] = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.raw}
        length = self.headers.get("content-length", "")
        self.length = int(length) if length.isascii() and length.isdigit() else -1

    async def read(self, most: int = MOST_BYTES) -> bytes:
        """The whole body, decompressed. Raises AnswerTooLarge beyond `most` bytes."""
        if self.length > most:
            raise errors.AnswerTooLarge(most, self.status)
        found = bytearray()
        if 0 <= self.length <= most and isinstance(self._stream, Body):
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
        self.raw = [pair for pair in self.raw if pair[0] != b"content-encoding"]
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

    The request's timeout bounds the way to a connection and the time between two pieces of the answer's body; the whole is for
    the caller to bound, whose TimeoutError `broken` puts into words.
    `on_sent` is called when the last byte of the body was handed to the network.
    """
    try:
        url, headers, content = _prepared(request)
        asked = _wire().ask(
            request.method, url, headers, content, _to_connect(request), request.timeout, on_sent if content else None
        )
        return Response(await asked, request)
    except Exception as error:
        raise broken(request, error) from error


def head_of(request: Request) -> tuple[str, dict[str, str]]:
    """The address and the headers that `send` puts on the wire, as they may be shown: without the key."""
    url, headers, content = _prepared(request)
    named = httpx.Headers(headers, encoding="latin-1")
    built = httpx.Request(request.method, url.of_httpx, headers=named, content=content)
    return redaction.clean(str(built.url)), redaction.headers(built.headers.multi_items())


def _prepared(request: Request) -> tuple[Address, dict[str, str], Content]:
    content: Content = request.content if request.stream is None else request.stream
    return _address(request.url, request.query), {"accept-encoding": "identity", **request.headers}, content


def _address(url: str, query: Mapping[str, Any] | None) -> Address:
    try:
        return address(str(httpx.URL(url, params=query)) if query else url)
    except httpx.InvalidURL as error:
        raise _refused(url) or error from None


def _to_connect(request: Request) -> float:
    """Less than the whole attempt may take, by more than aiohttp rounds up: who was never reached has seen nothing."""
    return min(CONNECT_SECONDS, request.timeout * 0.8)


def broken(request: Request, error: Exception) -> errors.CallError:
    """What a failure of the wire means for the caller."""
    if isinstance(error, errors.CallError):
        return error
    cause: BaseException = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error
    return _not_sent(request.url, cause, _to_connect(request)) or _sent(request, cause)


def _not_sent(url: str, cause: BaseException, seconds: float) -> errors.CallError | None:
    host, inner = urlsplit(url).hostname or url, _chain(cause)
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
        return _refused(url) or errors.AddressRefused(
            f"The address {host} cannot be dialled. Check the base URL of the connection."
        )
    return None


def _refused(url: str) -> errors.AddressRefused | None:
    """What a form would have said of an address that aiohttp does not even try."""
    try:
        guard.check_url(url.partition("?")[0])
    except errors.AddressRefused as refused:
        return refused
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
