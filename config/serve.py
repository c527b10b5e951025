"""The web process: `python -m config.serve [--socket FD] [--announce FD]`.

The supervisor opens the listening socket and hands it down, so that requests wait in it while a dead web process is
replaced. To the descriptor `--announce` one line is written as soon as pages are answered: the address to open.
"""

from __future__ import annotations

import argparse
import gc
import os
import socket
import sys

import django
import uvicorn
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connections

from config.protocol import Protocol
from jobs.tables import process_started

# Open streams get this long after SIGTERM; the supervisor ends everything after four seconds.
GRACE_SECONDS = 2


class Server(uvicorn.Server):
    """Uvicorn, telling when it has begun to answer."""

    def __init__(self, config: uvicorn.Config, announce: int | None, address: str) -> None:
        super().__init__(config)
        self.announcement = announce, address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        handle, address = self.announcement
        if handle is not None and self.started:
            os.write(handle, f"{address}\n".encode())
            os.close(handle)


def make_ready() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()
        from config.prepare import prepare

        prepare()
        process_started(settings.PROCESS_NAME)
    except ImproperlyConfigured as problem:
        sys.exit(str(problem))
    except OperationalError as problem:
        sys.exit(f"The database that DATABASE_URL names can't be used. {' '.join(str(problem).split())}")


def settle() -> None:
    """What the start made stays until the end. The garbage collector, which else looks through all of it again and again, took
    a fifth of the time of each call that passed through the proxy (`tests/bench`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def address_to_open() -> str:
    """The set-up page with its one-time token while there is no administrator, else the first page."""
    from accounts.setup import new_setup_address

    return new_setup_address() or f"{settings.PUBLIC_URL}/"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m config.serve")
    parser.add_argument("--socket", type=int)
    parser.add_argument("--announce", type=int)
    options = parser.parse_args()

    make_ready()
    address = address_to_open() if options.announce is not None else ""
    connections.close_all()
    settle()
    config = uvicorn.Config(
        "config.asgi:application",
        host=settings.HOST,
        port=settings.PORT,
        http=Protocol,
        lifespan="on",
        access_log=False,
        server_header=False,
        log_config=None,
        proxy_headers=False,  # see config.entry
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    sockets = [socket.socket(fileno=options.socket)] if options.socket is not None else None
    Server(config, options.announce, address).run(sockets)


if __name__ == "__main__":
    main()
