"""One running Patchbay per VAR_DIR. The lock is the kernel's, so it is gone when its process is, however that ended."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class AlreadyRunning(Exception):
    """Another Patchbay holds this VAR_DIR; the message says which and what to do."""


def take(var_dir: Path) -> int:
    """Locks `var_dir` until this process ends. Returns the open file descriptor. Raises AlreadyRunning."""
    handle = os.open(var_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(handle, 20).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise AlreadyRunning(
            f"Patchbay is running with VAR_DIR {var_dir} already (process {holder}). "
            "Stop that one, or start this one with a VAR_DIR and a PORT of its own."
        ) from None
    os.ftruncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    return handle
