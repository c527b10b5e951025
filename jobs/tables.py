"""Functions that settings name by dotted path, because `jobs` lies below the rooms they live in.

`ON_PROCESS_START`: called with the process name when web or a worker starts, so that a restarted process gives back
what its predecessor of the same name held. `PERIODIC`: called again and again by every worker. What fails is logged;
it stops neither the process nor the other functions, but for `ImproperlyConfigured`, which forbids the start.
"""

from __future__ import annotations

import logging
import random
import threading
import time

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)
TICK_SECONDS = 0.5


def call_quietly(path: str, *args: object) -> None:
    try:
        import_string(path)(*args)
    except ImproperlyConfigured:
        raise
    except Exception:
        logger.exception("%s failed.", path)


def process_started(process_name: str) -> None:
    """Raises ImproperlyConfigured where a room says that this process must not run."""
    for path in settings.ON_PROCESS_START:
        call_quietly(path, process_name)


def run_periodic(stop: threading.Event) -> None:
    """Calls each function of `PERIODIC` when it is due, until `stop` is set. For a thread of its own."""
    # Spread over the first interval, so that several workers don't do it all at the same moment.
    due = {path: time.monotonic() + random.uniform(0, every) for path, every in settings.PERIODIC.items()}  # noqa: S311
    try:
        while not stop.wait(TICK_SECONDS):
            for path, moment in due.items():
                if moment <= time.monotonic():
                    call_quietly(path)
                    due[path] = time.monotonic() + settings.PERIODIC[path]
    finally:
        connections.close_all()
