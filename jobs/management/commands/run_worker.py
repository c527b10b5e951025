"""`manage.py run_worker`: runs background tasks until told to stop. The supervisor starts as many as WORKERS says."""

from __future__ import annotations

import os
import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.crypto import get_random_string

from jobs.worker import Worker


class Command(BaseCommand):
    help = "Runs background tasks and the periodic functions until it is told to stop."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        name = settings.PROCESS_NAME or f"{socket.gethostname()[:60]}-{os.getpid()}-{get_random_string(8)}-worker"
        worker = Worker(name)
        worker.configure_signals()
        worker.run()
