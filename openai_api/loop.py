"""The event loop on which this process talks to OpenAI for callers that are not asynchronous themselves."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def _running() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="openai", daemon=True).start()
        return _loop


def _rest() -> None:
    """Close the kept connections before the interpreter goes, so that a command ends without complaints."""
    if _loop is not None and _loop.is_running():
        from openai_api import transport

        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(transport.close(), _loop).result(2)


atexit.register(_rest)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end and give the result; a caller that is interrupted cancels the work."""
    future = asyncio.run_coroutine_threadsafe(work, _running())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
