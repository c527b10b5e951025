"""`manage.py push`: send records to OpenAI, wait for the end, print it as JSON."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from connections.models import Installation
from flows.actions import CannotStart, start_push, wait_for_run
from flows.engine import execute
from flows.models import Record, Run
from jobs.models import WorkerBeat
from logs.audit import COMMAND_LINE

# A worker that gave no sign for so long is not there (seconds); the command then does the work itself.
SILENT = 5
LOOK_EVERY = 2.0


class Command(BaseCommand):
    help = "Push records to OpenAI and wait for the end. Exit status 0 only if every record is done."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("installation", help="name or id")
        parser.add_argument("--entity", required=True)
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--all", action="store_true", help="every record of the entity")
        which.add_argument("--keys", nargs="+", default=[], metavar="KEY")
        parser.add_argument("--mode", choices=["sync", "background"], default="sync")
        parser.add_argument("--repeat-unknown", action="store_true", help="send again what was perhaps paid")
        parser.add_argument("--wait", type=float, default=600.0, metavar="SECONDS")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = start_push(
                COMMAND_LINE,
                _installation(options["installation"]),
                options["entity"],
                _records(options),
                mode=options["mode"],
                repeat_unknown=options["repeat_unknown"],
            )
        except CannotStart as error:
            raise CommandError(str(error)) from error
        run = _see_through(run, options["wait"])
        self.stdout.write(json.dumps(_end_of(run)))
        if run.state != "done" or run.done != run.total:
            raise CommandError(_sentence(run, options["wait"]))


def _installation(named: str) -> Installation:
    found = Installation.objects.called(named)
    if found is None:
        known = ", ".join(Installation.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(f"There is no installation “{named}”. Installations here: {known}.")
    return found


def _records(options: dict[str, Any]) -> QuerySet[Record]:
    records = Record.objects.of(options["entity"]).order_by("pk")
    if options["all"]:
        return records
    chosen = records.filter(key__in=options["keys"])
    missing = set(options["keys"]) - set(chosen.values_list("key", flat=True))
    if missing:
        raise CommandError(f"No {options['entity']} has the key {', '.join(sorted(missing))}.")
    return chosen


def _see_through(run: Run, seconds: float) -> Run:
    """Wait for a worker to finish the run; without one that shows a sign of life, work here."""
    end = time.monotonic() + seconds
    began = time.monotonic()
    while run.is_open and time.monotonic() < end:
        run = wait_for_run(run, min(LOOK_EVERY, max(end - time.monotonic(), 0)))
        if run.is_open and time.monotonic() - began > SILENT and not _worker_alive():
            execute(run.pk)
            run.refresh_from_db()
    return run


def _worker_alive() -> bool:
    return WorkerBeat.objects.filter(at__gt=timezone.now() - timedelta(seconds=SILENT)).exists()


def _end_of(run: Run) -> dict[str, Any]:
    counts = {name: getattr(run, name) for name in ("total", "done", "failed", "skipped", "unknown")}
    return {"run": run.pk, "state": run.state, **counts}


def _sentence(run: Run, seconds: float) -> str:
    if run.is_open:
        return f"Run {run.pk} has not ended within {seconds:g} s and goes on. See it under Runs."
    return (
        f"Run {run.pk} ended with {run.failed} failed, {run.skipped} skipped and {run.unknown} unknown "
        f"of {run.total} records. See each reason under Runs."
    )
