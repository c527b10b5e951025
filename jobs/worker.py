"""The worker of `django-tasks-db`, with a lease on what it runs (`jobs.lease`) and the periodic functions beside it."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from types import FrameType

from django.db import connections
from django_tasks_db.management.commands import db_worker

from jobs import lease
from jobs.tables import process_started, run_periodic

# After SIGTERM the current task has this long; then it is freed for the next worker and this one ends.
GRACE_SECONDS = 3.0
# How soon an idle worker sees a new task.
POLL_SECONDS = 0.3

logger = logging.getLogger(__name__)


class Worker(db_worker.Worker):
    def __init__(self, worker_id: str) -> None:
        super().__init__(
            queue_names=["*"],
            interval=POLL_SECONDS,
            batch=False,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=worker_id,
            excluded_queue_names=[],
        )
        self.told_to_stop = threading.Event()
        self.stopped = threading.Event()

    def run(self) -> None:
        # What a task works on first, the task itself after: whoever takes it must not find the rows still held.
        process_started(self.worker_id)
        lease.take_over(self.worker_id)
        beating = threading.Thread(target=self.keep_beating, daemon=True)
        periodic = threading.Thread(target=run_periodic, args=(self.stopped,), daemon=True)
        cutting_off = threading.Thread(target=self.cut_off, daemon=True)
        # A signal may end this worker from the first beat on, and then too the beat must go.
        try:
            lease.beat(self.worker_id)
            for thread in (beating, periodic, cutting_off):
                thread.start()
            super().run()
        finally:
            self.stopped.set()
            if beating.is_alive():
                beating.join(timeout=1)
            lease.forget(self.worker_id)

    def keep_beating(self) -> None:
        while not self.stopped.wait(lease.BEAT_SECONDS):
            try:
                lease.beat(self.worker_id)
                lease.sweep()
            except Exception:
                logger.exception("The worker could not say that it is alive.")
        connections.close_all()

    def cut_off(self) -> None:
        """Ends a worker whose task takes too long to wait for; the thread that runs it can't be stopped otherwise."""
        self.told_to_stop.wait()
        time.sleep(GRACE_SECONDS)
        logger.warning("The current task is handed to the next worker.")
        try:
            lease.forget(self.worker_id)
        finally:
            os._exit(0)

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """Takes no more tasks. Runs as a signal handler; an idle worker ends here and now, by SystemExit."""
        if self.running:
            self.told_to_stop.set()
            super().shutdown(signum, frame)

    def configure_signals(self) -> None:
        signal.signal(signal.SIGINT, self.shutdown)
        signal.signal(signal.SIGTERM, self.shutdown)
