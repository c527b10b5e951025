"""The wire, and the only importer of httpx. One request, once; retries and rows are the business of the steps above.

Failures are told apart by whether OpenAI may have seen the request. The classes of httpx do not say that behind the
aiohttp transport (a connection that was closed while waiting for the answer comes as ConnectTimeout), so the cause
underneath is asked first.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from logs import redaction
from openai_api import errors, guard

CONNECT_SECONDS = 10.0
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()


@dataclass(frozen=True)
class Request:
    """One HTTP request to make. `repeatable` is true for methods that change nothing; `timeout` is in seconds."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, Any] | None = None
    content: bytes = b""
    timeout: float = 60.0

    @property
    def repeatable(self) -> bool:
        return self.method in ("GET", "HEAD")

    def forget_key(self, said: bytes) -> bytes:
        """What the far side said, as it may be written and shown: some repeat the key that they refuse."""
        return redaction.forget(said, self.headers.get("Authorization", "").removeprefix("Bearer "))


def wire() -> httpx.AsyncBaseTransport:
    """The transport below httpx. Tests put a function in its place (`httpx.MockTransport`)."""
    return AiohttpTransport(client=guard.session)


def _client() -> httpx.AsyncClient:
    """One client per event loop, so that connections are kept and reused."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = httpx.AsyncClient(transport=wire(), follow_redirects=False, trust_env=False)
    return _clients[loop]


async def close() -> None:
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()


class Response:
    """An answer whose headers have come. Read it whole with `read`, or as it comes with `chunks`; then `close` it."""

    def __init__(self, inner: httpx.Response, request: Request) -> None:
        self._inner = inner
        self._request = request
        self.status = inner.status_code
        self.headers: dict[str, str] = {
            name.lower(): request.forget_key(value.encode()).decode() for name, value in inner.headers.items()
        }

    async def read(self) -> bytes:
        try:
            return await self._inner.aread()
        except Exception as error:
            raise broken(self._request, error) from error

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._inner.aiter_bytes():
                yield chunk
        except Exception as error:
            raise broken(self._request, error) from error

    async def close(self) -> None:
        await self._inner.aclose()


async def send(request: Request) -> Response:
    """Send once and return when the headers have come. Raises NotSent, OutcomeUnknown or TimedOut."""
    guard.check_url(request.url)
    client = _client()
    timeout = httpx.Timeout(request.timeout, connect=min(CONNECT_SECONDS, request.timeout), pool=None)
    try:
        built = client.build_request(
            request.method,
            request.url,
            params=request.query,
            headers=request.headers,
            content=request.content,
            timeout=timeout,
        )
        return Response(await client.send(built, stream=True), request)
    except Exception as error:
        raise broken(request, error) from error


def broken(request: Request, error: Exception) -> errors.CallError:
    """What a failure of the wire means for the caller."""
    if isinstance(error, errors.CallError):
        return error
    host = urlsplit(request.url).hostname or request.url
    cause: BaseException = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error
    return _not_sent(host, cause, min(CONNECT_SECONDS, request.timeout)) or _sent(request, cause)


def _not_sent(host: str, cause: BaseException, seconds: float) -> errors.CallError | None:
    inner = _chain(cause)
    refused = next((one for one in inner if isinstance(one, errors.AddressRefused)), None)
    if refused is not None:
        return refused
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
    what = f"No answer within {request.timeout:g} s" if slow else "The connection broke before the answer was whole"
    if request.repeatable:
        return errors.TimedOut(f"{what}. Nothing was changed by this request; try again.")
    return errors.OutcomeUnknown(
        f"{what}. OpenAI may have carried it out and charged for it. Look at OpenAI before you send it again."
    )
