"""What an installation's limits stand at now, as the page shows it, for programs that watch it."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.gauges import live
from connections.models import Installation


class Command(BaseCommand):
    help = "Print what the limits of an installation stand at: window, slots, line, tokens, budgets, holds. JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("installation", help="its name or id")

    def handle(self, *args: Any, **options: Any) -> None:
        installation = Installation.objects.select_related("connection").called(options["installation"])
        if installation is None:
            raise CommandError(f"No installation is called “{options['installation']}”.")
        self.stdout.write(json.dumps(live([installation])[0].as_json, ensure_ascii=False))
