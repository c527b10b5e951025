"""Which application answers a path. Machine traffic skips Django's middleware: it has no session and no page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from openai_api import transport
from openai_api.gate import gate
from proxy.application import application as proxy
from webhooks.receiver import application as webhook_receiver

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MACHINE_PATHS: dict[str, Application] = {
    "/hookapi/": webhook_receiver,
    "/proxy/": proxy,
}


# A reverse proxy on this machine may say for whom it asks; nobody else may.
TRUSTED = ["127.0.0.1", "::1"]


def told_by_proxies(inner: Application) -> Application:
    """`inner`, which sees the client and scheme that a trusted reverse proxy says. A request that no proxy speaks of goes straight
    on: to look up whether its client is one to be trusted takes as long as to find its way."""
    heard = cast(Application, ProxyHeadersMiddleware(cast(Any, inner), TRUSTED))

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        for name, _ in scope.get("headers", ()):
            if name.startswith(b"x-forwarded-"):
                await heard(scope, receive, send)
                return
        await inner(scope, receive, send)

    return application


def by_path(pages: Application) -> Application:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        for prefix, machine in MACHINE_PATHS.items():
            if scope["path"].startswith(prefix):
                await machine(scope, receive, send)
                return
        await pages(scope, receive, send)

    return application


async def _lifespan(receive: Receive, send: Send) -> None:
    """Uvicorn's start and stop messages; Django's handler does not know them.

    At the stop, connections that were kept are closed, and what ended last is written.
    """
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await transport.close()
            gate.stop()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
