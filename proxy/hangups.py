"""How the server says that a caller hung up: an extension of ASGI's scope, one object for each connection.

ASGI's own way is to wait for `http.disconnect`, which costs each call that takes a while a task of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

EXTENSION = "patchbay.hang_ups"


class HangUps:
    """Who wants to hear that the caller of this connection hung up. Who asks afterwards hears it at once."""

    def __init__(self) -> None:
        self._over = False
        self._listeners: set[Callable[[], None]] = set()

    def add(self, listener: Callable[[], None]) -> None:
        self._listeners.add(listener)
        if self._over:
            listener()

    def discard(self, listener: Callable[[], None]) -> None:
        self._listeners.discard(listener)

    def tell(self) -> None:
        self._over = True
        for listener in tuple(self._listeners):
            listener()


def of(scope: Mapping[str, Any]) -> HangUps:
    """Those of the connection that this request came over. A server that doesn't know the extension never tells."""
    found = scope.get("extensions", {}).get(EXTENSION)
    return found if isinstance(found, HangUps) else HangUps()
