"""One process tree: web, workers and sandbox under one parent that starts them again when they die.

Run by `start.py`. The console shows one line with the address to open, and a few lines when a child died; everything
that the children say goes to `VAR_DIR/log/<role>.log`. Ctrl-C and SIGTERM end the whole tree within five seconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from jobs import instance
from jobs.family import Child

# After SIGTERM the children have this long; what is left is killed with everything that it started.
GRACE_SECONDS = 4.0
LOOK_SECONDS = 0.05
# A port may still be held for a moment by the tree that was killed before this one.
PORT_PATIENCE_SECONDS = 2.0


class CannotStart(Exception):
    """One sentence for the console: what is in the way and what to do."""


def listen(name: str, host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotStart, whose message names the setting."""
    deadline = time.monotonic() + PORT_PATIENCE_SECONDS
    while True:
        try:
            family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            return socket.create_server(address[:2], family=family, backlog=2048)
        except socket.gaierror:
            raise CannotStart(
                f"HOST is {host!r}, which is no address of this machine. Correct it and start again."
            ) from None
        except OSError as error:
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"{name} {port} on {host} can't be used: {os.strerror(error.errno or 0).lower()}. "
                    f"Stop the program that holds it, or set {name} to another port."
                ) from None
            time.sleep(LOOK_SECONDS)


class Supervisor:
    def __init__(self) -> None:
        self.stopping = False
        self.web_socket = listen("PORT", settings.HOST, settings.PORT)
        # Never written to: its end is how children learn of ours, whichever way we go (see `jobs.child`).
        self.pipe, self._our_end = os.pipe()
        self.announce, self._announcing = os.pipe()
        run = f"{socket.gethostname()[:40]}-{os.urandom(4).hex()}"
        log = settings.VAR_DIR / "log"
        log.mkdir(mode=0o700, exist_ok=True)

        def make(role: str, *command: str) -> Child:
            return Child(role, [sys.executable, "-m", "jobs.child", *command], f"{run}-{role}", log, self.pipe)

        self.web = make("web", "config.serve", "--socket", str(self.web_socket.fileno()))
        workers = [make(f"worker-{number}", "manage", "run_worker") for number in range(1, settings.WORKERS + 1)]
        self.others = [*workers, *self.sandbox(make)]

    def sandbox(self, make: Callable[..., Child]) -> list[Child]:
        if not settings.SANDBOX_URL:
            return []
        listen("SANDBOX_PORT", "127.0.0.1", settings.SANDBOX_PORT).close()
        state = str(settings.VAR_DIR / "sandbox.json")
        return [make("sandbox", "sandbox", "--port", str(settings.SANDBOX_PORT), "--state", state)]

    @property
    def children(self) -> list[Child]:
        return [self.web, *self.others]

    def run(self) -> None:
        try:
            address = self.first_start()
            if address:
                say(f"Patchbay is running. Open {address} (Ctrl-C stops it)", sys.stdout)
            while not self.stopping:
                self.look_after_children()
                time.sleep(LOOK_SECONDS)
        finally:
            self.end()

    def first_start(self) -> str:
        """Web first: it migrates. Returns the address that it announces, "" when told to stop. Raises CannotStart."""
        self.web.start(self.web_socket.fileno(), self._announcing, arguments=("--announce", str(self._announcing)))
        os.close(self._announcing)
        os.set_blocking(self.announce, False)
        while not self.stopping:
            time.sleep(LOOK_SECONDS)
            with contextlib.suppress(BlockingIOError):
                if address := os.read(self.announce, 2000).decode().strip():
                    for other in self.others:
                        other.start()
                    return address
            if self.web.ended():
                raise CannotStart(f"Patchbay could not start. {self.web.last_words()}")
        return ""

    def ask_to_stop(self, *_: object) -> None:
        """A signal handler: it only leaves word, since whatever it interrupts may hold a lock."""
        self.stopping = True

    def look_after_children(self) -> None:
        for one in self.children:
            if one.ended():
                say(f"{one.last_words()}\n{one.role} is started again.")
            if one.due():
                one.start(self.web_socket.fileno()) if one is self.web else one.start()

    def end(self) -> None:
        """SIGTERM to all, then SIGKILL to the process group of each that is left."""
        deadline = time.monotonic() + GRACE_SECONDS
        for one in self.children:
            one.ask_to_end()
        for one in self.children:
            one.make_end(deadline)


def say(text: str, to: TextIO = sys.stderr) -> None:
    """At once, also into a file or pipe. Standard output is for the address alone, so that a script can read it."""
    to.write(text + "\n")
    to.flush()


def prepare_folder(var_dir: Path) -> None:
    try:
        var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        instance.take(var_dir)
    except OSError as error:
        raise CannotStart(f"VAR_DIR {var_dir} can't be used: {os.strerror(error.errno or 0).lower()}.") from None


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.umask(0o077)  # database, logs and static files are ours alone
    try:
        prepare_folder(settings.VAR_DIR)
        supervisor = Supervisor()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, supervisor.ask_to_stop)
        supervisor.run()
    except (ImproperlyConfigured, instance.AlreadyRunning, CannotStart) as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
