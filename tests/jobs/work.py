"""Tasks for tests of the worker. They write into the file that they are given."""

from __future__ import annotations

import time
from pathlib import Path

from django_tasks import task


@task()
def note(file: str, text: str) -> None:
    with Path(file).open("a") as stream:
        stream.write(f"{text}\n")


@task()
def note_and_wait(file: str, seconds: float) -> None:
    note.func(file, "began")
    time.sleep(seconds)
    note.func(file, "ended")
