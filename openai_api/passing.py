"""What of someone's request is passed on, a program's or a person's: its path and headers, checked. Pure.

Nothing in a request can choose another host, another key, or another request hidden in the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

# Of one hop only (RFC 9110 §7.6.1), made anew for the next one, or about this hop and not the next.
ONE_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
        "expect",
        "accept-encoding",
        "cookie",
        "forwarded",
        "via",
        "x-real-ip",
        # The caller's token; the connection's key takes its place.
        "authorization",
    }
)
NOT_BACK = frozenset(
    name.encode() for name in ONE_HOP | {"set-cookie", "alt-svc", "strict-transport-security", "date", "server"}
)
PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+/?")
# Nearly every path is of such words alone, and needs no second look.
PLAIN = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
AUTH = ("api-key", "x-api-key")
ACCOUNT = {"openai-organization": "organization", "openai-project": "project"}


class NotPassedOn(Exception):
    """A request that is refused. The message says why and what to do."""


def path(raw: str) -> str:
    """The path below the base URL, as it came. Raises NotPassedOn for anything that could mean another place."""
    if PLAIN.fullmatch(raw):
        return raw
    if not PATH.fullmatch(raw):
        raise NotPassedOn(
            "The path can't be passed on. Send a path below /v1 such as /v1/responses: no full address, no //, no spaces."
        )
    plain = unquote(unquote(raw))
    if any(part in (".", "..") for part in re.split(r"[/\\]", plain)) or re.search(r"[\x00-\x1f\x7f\\]", plain):
        raise NotPassedOn("The path can't be passed on: it holds . or .. or a hidden character. Send it in full.")
    return raw


def headers(given: Iterable[tuple[str, str]], account: Mapping[str, str]) -> dict[str, str]:
    """The headers to pass on, names in lower case. `account` are the connection's own OpenAI headers, which stay."""
    own = {name.lower(): value for name, value in account.items()}
    dropped, found = ONE_HOP, dict[str, str]()
    for name, value in given:
        if name == "connection" and value.lower() not in ("keep-alive", "close"):
            dropped = dropped | {part.strip().lower() for part in value.split(",")}
        elif name in AUTH:
            raise NotPassedOn(f"The header {name} can't be passed on: the connection's own key is used. Leave it out.")
        elif name in ACCOUNT:
            if value != own.get(name, ""):
                raise NotPassedOn(
                    f"The header {name} can't be passed on: the connection says which {ACCOUNT[name]} pays. Leave it out."
                )
        elif name not in ONE_HOP and not name.startswith(("x-patchbay-", "x-forwarded-")):
            found[name] = f"{found[name]}, {value}" if name in found else value
    return {name: value for name, value in found.items() if name not in dropped} if dropped is not ONE_HOP else found


def answer_headers(given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Of headers (names in lower case) those to give back, without the length: an answer may have been unpacked on its way."""
    return [pair for pair in given if pair[0] not in NOT_BACK]
