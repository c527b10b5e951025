"""How much memory the running program's web process takes, as Linux tells it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.whole.program import Program


class Memory:
    """The web process's memory in MB: `most` since `reset`, beyond what it was then."""

    def __init__(self, program: Program) -> None:
        (pid,) = program.children("config.serve")
        self.folder = Path(f"/proc/{pid}")

    def reset(self) -> None:
        (self.folder / "clear_refs").write_text("5")
        self.start = self.read("VmRSS")

    def most(self) -> float:
        return self.read("VmHWM") - self.start

    def read(self, name: str) -> float:
        found = re.search(rf"{name}:\s+(\d+)", (self.folder / "status").read_text())
        assert found, name
        return int(found[1]) / 1024
