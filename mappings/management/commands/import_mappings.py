"""`manage.py import_mappings INSTALLATION FILE`: take over a file of mappings, or with --dry-run only say what would change."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.management.errors import installation_called
from logs.audit import COMMAND_LINE
from mappings.actions import NameTaken
from mappings.files import FileError
from mappings.importing import Change, carry_out, plan
from mappings.management.reading import text_of


class Command(BaseCommand):
    help = "Take over a file of mappings, which are known by their names. Prints what changes, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("installation", help="name or id")
        parser.add_argument("file", help="as export_mappings writes it; - is standard input")
        parser.add_argument("--dry-run", action="store_true", help="change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        installation = installation_called(options["installation"])
        try:
            changes = plan(installation, text_of(options["file"]))
            if not options["dry_run"]:
                carry_out(COMMAND_LINE, installation, changes, "Imported")
        except FileError as error:
            more = len(error.problems) - 1
            raise CommandError(f"{error}" + (f" And {more} more." if more else "")) from None
        except NameTaken as error:
            raise CommandError(str(error)) from None
        said = {"dry_run": options["dry_run"], "mappings": [_told(change) for change in changes]}
        self.stdout.write(json.dumps(said, indent=2, ensure_ascii=False))


def _told(change: Change) -> dict[str, Any]:
    return {"name": change.name, "change": change.what, "fields": [row.field for row in change.rows]}
