"""`manage.py calls`: the integration log for scripts, newest call first, through the filters of the page."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from logs import browse
from logs.export import FORMATS
from logs.filters import FilterForm, Filters

FILTERS = {
    "since": "length of time up to now, such as 90m, 1h or 7d",
    "from": "first moment, such as 2026-11-21T14:00",
    "to": "last moment",
    "state": "outcome, such as done, failed or open",
    "operation": "operation, such as create_response",
    "model": "model",
    "http": "HTTP status (429), class (5xx), or none",
    "cause": "what asked for the call, such as check",
    "tag": "one of the tags that a program gave its call",
    "correlation": "correlation id",
    "q": "text in ids, model, operation, path, error or cause",
}


class Command(BaseCommand):
    help = "Write calls of the integration log to standard output, newest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--installation", help="id or name of an installation")
        for name, text in FILTERS.items():
            parser.add_argument(f"--{name}", help=text)
        parser.add_argument("--format", choices=FORMATS, default="jsonl")
        parser.add_argument("--limit", type=int, help="at most so many calls")

    def handle(self, *args: Any, **options: Any) -> None:
        limit = options["limit"]
        if limit is not None and limit < 1:
            raise CommandError(f"--limit is {limit}, which asks for nothing. Give a number from 1 on.")
        calls = browse.in_chunks(browse.matching(_filters(options)), limit)
        try:
            for line in FORMATS[options["format"]](calls):
                self.stdout.write(line, ending="")
            self.stdout.flush()
        except BrokenPipeError:
            # The reader (`head`, say) has what it wanted. Python would complain once more when it closes the stream.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _filters(options: dict[str, Any]) -> Filters:
    """An installation may be named by its id or by a name that it has or had."""
    installation = options["installation"] or ""
    by_id = installation.isdecimal()
    form = FilterForm(
        {name: options[name] for name in FILTERS if options[name]} | ({"installation": installation} if by_id else {})
    )
    filters = form.filters()
    if form.errors:
        raise CommandError(" ".join(form.sentences()))
    return filters if by_id else replace(filters, installation_name=installation)
