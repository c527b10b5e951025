"""The bodies of answers: files of VAR_DIR that only this program reads, for as long as their rows are there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from io import BufferedWriter
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from logs.models import Call
from openai_api import errors
from operations.models import KEPT_FOR, Answer

PIECE = 256 * 1024
MOST_BYTES = 1024 * 1024 * 1024
# A request that is under way says so in the log; longer than this it does not take to be written there.
STARTS_WITHIN = 60.0


class TooLarge(errors.CallError):
    """More came than is kept. What came is there."""

    help_code, slug = errors.NotOpenAI.help_code, "answer_too_large"

    def __init__(self) -> None:
        super().__init__(
            f"The answer is larger than the {MOST_BYTES >> 20:,} MB that are kept, so it was not read to its end. "
            "Let a program of your own fetch it through the proxy."
        )


def folder() -> Path:
    """Made where it is missing; its owner's alone."""
    found: Path = settings.VAR_DIR / "answers"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def path_of(answer_id: UUID, part: int | None = None) -> Path:
    """Where the body is kept, or a part that was taken out of it (see `operations.showing`)."""
    return folder() / (str(answer_id) if part is None else f"{answer_id}.{part}")


def write(path: Path, content: bytes) -> None:
    with _opened(path) as file:
        file.write(content)


class Keeper:
    """Takes an answer's bytes as they come. They reach the disk in larger pieces, and not in the event loop."""

    def __init__(self, answer_id: UUID) -> None:
        self._file = _opened(path_of(answer_id))
        self._waiting = bytearray()
        self.size = 0

    async def add(self, chunk: bytes) -> None:
        """Raises TooLarge, and OSError where the disk is full."""
        self.size += len(chunk)
        self._waiting += chunk
        if len(self._waiting) >= PIECE:
            await self.carry_over()
        if self.size > MOST_BYTES:
            raise TooLarge

    async def carry_over(self) -> None:
        """What waits, to the disk. Raises OSError."""
        piece, self._waiting = bytes(self._waiting), bytearray()
        if piece:
            await asyncio.to_thread(self._write, piece)

    async def close(self) -> None:
        """With as much of what came as the disk takes."""
        with contextlib.suppress(OSError):
            await self.carry_over()
        with contextlib.suppress(OSError):
            self._file.close()

    def _write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._file.flush()


async def pieces(path: Path, start: int = 0, size: int = -1) -> AsyncIterator[bytes]:
    """A kept file, or so many bytes of it, for a browser, as it takes it."""
    left = path.stat().st_size - start if size < 0 else size
    with path.open("rb") as file:
        file.seek(start)
        while left and (piece := await asyncio.to_thread(file.read, min(PIECE, left))):
            left -= len(piece)
            yield piece


def prune() -> None:
    """Forget what was kept long enough, and end what a stopped process left open."""
    Answer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
    # By age and not by row: a file may be on another machine than the worker that took away its row.
    oldest = time.time() - KEPT_FOR.total_seconds()
    for path in folder().iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()
    for answer in Answer.objects.filter(state="sending"):
        settle(answer)


def settle(answer: Answer) -> None:
    """Take over from the log how a request ended whose process did not live to say so."""
    call = Call.objects.filter(pk=answer.call_id).first() if answer.call_id else None
    age = (timezone.now() - answer.created_at).total_seconds()
    if call is None and age > STARTS_WITHIN:
        answer.end_without_call("Patchbay was stopped before this was sent. Send it again.")
    elif call is not None and call.state_info.final and age > STARTS_WITHIN:
        answer.end_as(call)


def _opened(path: Path) -> BufferedWriter:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(handle, "wb")
