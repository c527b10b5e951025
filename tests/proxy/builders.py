"""Tokens and requests to the proxy for tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connections.models import Installation
from logs.audit import Actor
from openai_api import loop
from proxy.actions import create_token
from proxy.application import application
from tests import builders

ADA = Actor("ada", 7, "192.0.2.1")


def token(*installations: Installation, name: str = "Shop") -> str:
    """What a program would send: a new token for these installations, or for the one of the builders."""
    return create_token(ADA, name, installations or [builders.installation()]).secret


@dataclass(frozen=True)
class Got:
    """What a caller got. `headers` have lower-case names; `ended` is false where the answer broke off."""

    status: int
    headers: dict[str, str]
    body: bytes
    ended: bool = True

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["error"]
        return found


def scope(method: str, target: str, headers: Iterable[tuple[str, str]]) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("198.51.100.7", 40000),
    }


async def aask(method: str, target: str, secret: str = "", body: bytes | Iterable[bytes] = b"", **headers: str) -> Got:
    """One request to the application, whose caller stays until the end. `x_patchbay_tags="a"` is the header of that name."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    named += [("authorization", f"Bearer {secret}")] if secret else []
    parts, sent = list([body] if isinstance(body, bytes) else body), []

    async def receive() -> dict[str, Any]:
        if parts:
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope(method, target, named), receive, send)
    start, rest = sent[0], sent[1:]
    found = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    whole = b"".join(message.get("body", b"") for message in rest)
    return Got(start["status"], found, whole, bool(rest) and not rest[-1].get("more_body"))


def ask(method: str, target: str, secret: str = "", body: bytes | Iterable[bytes] = b"", **headers: str) -> Got:
    """`aask` for tests that are not asynchronous."""
    got: Got = loop.run(aask(method, target, secret, body, **headers))
    return got
