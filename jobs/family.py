"""One child of the supervisor: its process, its log file, its last lines, and when it may start again."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections import deque
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from jobs.child import PIPE_VARIABLE

LOG_BYTES, LOG_FILES = 5_000_000, 3
LAST_LINES = 12
# Who lives shorter than this died of its start. The first few times it is started again at once, then later and later.
SHORT_LIFE_SECONDS = 3.0
FREE_RESTARTS = 3
LONGEST_PAUSE_SECONDS = 30.0


def pause_after(short_lives: int) -> float:
    """Seconds to wait before the next start, after so many short lives in a row."""
    late = short_lives - FREE_RESTARTS
    return 0.0 if late <= 0 else min(LONGEST_PAUSE_SECONDS, 2.0 ** (late - 1))


class Child:
    def __init__(self, role: str, command: list[str], name: str, log: Path, pipe: int) -> None:
        self.role, self.command, self.name, self.pipe = role, command, name, pipe
        self.process: subprocess.Popen[bytes] | None = None
        self.running = False
        self.started_at = self.next_start = 0.0
        self.short_lives = 0
        self.lines: deque[str] = deque(maxlen=LAST_LINES)
        self.reader: threading.Thread | None = None
        self.log = logging.Logger(role)
        handler = RotatingFileHandler(log / f"{role}.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
        self.log.addHandler(handler)

    def start(self, *descriptors: int, arguments: tuple[str, ...] = ()) -> None:
        """Starts it in a session of its own (Ctrl-C reaches the supervisor only) with these descriptors."""
        self.lines.clear()
        self.process = subprocess.Popen(  # noqa: S603 - our own modules
            [*self.command, *arguments],
            env=os.environ | {"PROCESS_NAME": self.name, PIPE_VARIABLE: str(self.pipe), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(self.pipe, *descriptors),
            start_new_session=True,
        )
        self.running, self.started_at = True, time.monotonic()
        assert self.process.stdout is not None  # noqa: S101 - it was asked for above
        self.reader = threading.Thread(target=self.listen, args=(self.process.stdout,), daemon=True)
        self.reader.start()

    def listen(self, output: IO[bytes]) -> None:
        """Passes on what the child says, line by line, to its log file, and remembers the last lines."""
        with output:
            for raw in output:
                line = raw.decode(errors="replace").rstrip()
                self.lines.append(line)
                self.log.info("%s", line)

    def ended(self) -> bool:
        """True once, when the process is found dead; the time of its next start is set."""
        if not self.running or self.process is None or self.process.poll() is None:
            return False
        self.running = False
        if self.reader:
            self.reader.join(timeout=0.5)
        lived = time.monotonic() - self.started_at
        self.short_lives = self.short_lives + 1 if lived < SHORT_LIFE_SECONDS else 0
        self.next_start = time.monotonic() + pause_after(self.short_lives)
        return True

    def due(self) -> bool:
        return not self.running and time.monotonic() >= self.next_start

    def last_words(self) -> str:
        """Who ended and how, and what it said last unless it was killed from outside."""
        status = self.process.returncode if self.process else 0
        if status < 0:
            return f"{self.role} was ended by {signal.Signals(-status).name}."
        said = [f"    {line}" for line in self.lines]
        return "\n".join([f"{self.role} ended with status {status}." + " It said last:" * bool(said), *said])

    def ask_to_end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def make_end(self, deadline: float) -> None:
        """Waits until `deadline` (monotonic seconds), then kills the process and all that it started."""
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
