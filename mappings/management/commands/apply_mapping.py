"""`manage.py apply_mapping COLLECTION`: what would come of a record, or of an answer, by the function that a run uses."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mappings import samples
from mappings.apply import Applied
from mappings.choices import FROM_HUB
from mappings.management.reading import text_of
from mappings.models import Mapping
from mappings.preview import SampleError, preview, read_sample


class Command(BaseCommand):
    help = (
        "Print the request body or the record that a mapping makes, with errors by rule, as JSON. Nothing is sent or saved. "
        "Exit status 0 only if nothing is in the way of sending or writing it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("collection", help="id, name, or INSTALLATION/NAME where several have the name")
        parser.add_argument(
            "--record", metavar="FILE", help="JSON as the preview takes it; - is standard input; without it, a sample"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        mapping = _mapping(options["collection"])
        spec = mapping.spec()
        try:
            sample = samples.document_for(spec)
            applied = preview(spec, read_sample(text_of(options["record"])) if options["record"] else sample)
        except SampleError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps(_told(mapping, applied), indent=2, ensure_ascii=False))
        if not applied.ok:
            raise CommandError(_sentence(applied))


def _mapping(named: str) -> Mapping:
    rows = Mapping.objects.select_related("installation")
    if named.isascii() and named.isdecimal() and len(named) < 19 and (found := rows.filter(pk=int(named)).first()):
        return found
    called = [row for row in rows if named in (row.name, f"{row.installation.name}/{row.name}")]
    if len(called) == 1:
        return called[0]
    if called:
        names = ", ".join(f"“{row.installation.name}/{row.name}”" for row in called)
        raise CommandError(f"Several mappings are called “{named}”. Name one of {names}.")
    raise CommandError(f"There is no mapping “{named}”. Name one that stands on the page Mappings, or give its id.")


def _told(mapping: Mapping, applied: Applied) -> dict[str, Any]:
    result = "body" if mapping.direction == FROM_HUB else "record"
    return {
        "mapping": str(mapping),
        "version": mapping.version,
        result: applied.body,
        "changes": applied.changes,
        "skipped": applied.skipped,
        "problems": [asdict(problem) | {"sentence": problem.sentence} for problem in applied.problems],
    }


def _sentence(applied: Applied) -> str:
    if applied.skipped:
        return applied.skipped
    more = len(applied.problems) - 1
    return applied.problems[0].sentence + (f" And {more} more." if more else "")
