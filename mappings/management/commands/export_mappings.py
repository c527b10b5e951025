"""`manage.py export_mappings INSTALLATION`: all its mappings as one file, on standard output."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from connections.management.errors import installation_called
from mappings.importing import exported


class Command(BaseCommand):
    help = "Write the mappings of an installation to standard output, as a file that import_mappings reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("installation", help="name or id")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(exported(installation_called(options["installation"])), ending="")
