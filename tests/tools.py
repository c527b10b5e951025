"""What tests and benches need without Django."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(what: Callable[[], object], seconds: float = 30.0) -> object:
    """Wait for a condition, not for a time; fails with the last value. Looks often at first, then ten times a second.

    How long is patience with a machine that is busy, and no part of what a test says.
    """
    end, pause = time.monotonic() + seconds, 0.01
    while not (value := what()):
        assert time.monotonic() < end, f"not within {seconds} s: {value!r}"
        time.sleep(pause)
        pause = min(1.4 * pause, 0.1)
    return value
