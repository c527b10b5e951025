"""Which addresses Patchbay may dial. The address that was checked is the address that is dialled.

Names are resolved once, in the connector's own resolver, and every address of a name is checked. Numbers in a URL have
many spellings, so the last word is the socket's: none is made for an address that was not checked as it is dialled. A form
checks what is typed (`check_url`) to say so beside the field.
"""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from django.conf import settings

from openai_api.errors import AddressRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")
SIX_TO_FOUR = ipaddress.ip_network("2002::/16")


def check_url(url: str) -> None:
    """Raises AddressRefused with a sentence when a base URL may not be used. Names are checked again when dialled."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused(
            "The base URL cannot be read. Enter https://, a host and a path, as the form suggests it."
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddressRefused("The base URL must begin with https:// (or http://) and name a host.")
    if parts.username or parts.password:
        raise AddressRefused(
            "The base URL holds a user name or password. Leave them out; the API key has its own field."
        )
    if parts.query or parts.fragment:
        raise AddressRefused("The base URL ends in a query or fragment. Leave out everything from ? or # on.")
    address = _literal(parts.hostname)
    if address is not None and not allowed(address, port or _port(parts.scheme)):
        raise AddressRefused(private(str(address)))


def private(host: str) -> str:
    return (
        f"{host} is a private or special address, which is refused so that a form cannot reach into your network. "
        "The operator allows networks with ALLOW_PRIVATE_ADDRESSES."
    )


def allowed(address: Address, port: int) -> bool:
    """Public addresses, those the operator allowed, and the sandbox's own address and port."""
    address = _unwrapped(address)
    if any(address in network for network in settings.ALLOW_PRIVATE_ADDRESSES if network.version == address.version):
        return True
    if settings.SANDBOX_URL and address.is_loopback and port == urlsplit(settings.SANDBOX_URL).port:
        return True
    return address.is_global and not address.is_multicast and not address.is_reserved and address not in SIX_TO_FOUR


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside a mapped or translated IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


@lru_cache(maxsize=1024)
def _literal(host: str) -> Address | None:
    """The address that a host spells, `2130706433`, `0x7f.1` and full-width digits included; None for a name."""
    host = unicodedata.normalize("NFKC", host).replace("。", ".").rstrip(".")
    try:
        return ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host)) if host.isascii() else None
    except (OSError, ValueError):
        return None


def _port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


class GuardedResolver(AbstractResolver):
    """Resolves a name and refuses it when any of its addresses may not be dialled."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for row in found:
            if not allowed(ipaddress.ip_address(row["host"].split("%")[0]), port):
                raise AddressRefused(private(host))
        return found

    async def close(self) -> None:
        await self._inner.close()


def guarded_socket(info: aiohttp.AddrInfoType) -> socket.socket:
    """The socket for one address, if that may be dialled. A resolver is not asked for numbers; this is, for all."""
    family, kind, protocol, _, target = info
    address = _literal(str(target[0]))
    if address is None or not allowed(address, int(target[1])):
        raise AddressRefused(private(str(target[0])))
    return socket.socket(family, kind, protocol)


def session(**kwargs: Any) -> aiohttp.ClientSession:
    """A client session that dials only what was checked, keeps no cookies and trusts no proxy variables."""
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(),
        socket_factory=guarded_socket,
        limit=0,
        keepalive_timeout=15,
        use_dns_cache=False,
    )
    made = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
        **kwargs,
    )
    # aiohttp sends a GET once more when a kept connection was closed under it; every time over the wire must have its row.
    made._retry_connection = False
    return made
