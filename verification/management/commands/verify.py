"""`manage.py verify INSTALLATION [--check SLUG …]`: run the checks in this process and print each outcome as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.models import Installation
from logs.audit import COMMAND_LINE
from verification.checks import CHECKS
from verification.models import Verification
from verification.runner import UnderWay, execute, new_verification


class Command(BaseCommand):
    help = "Verify an installation (name or id). Exit status 0 only if no check failed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("installation", help="name or id")
        parser.add_argument("--check", action="append", choices=list(CHECKS), help="only this check; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        verification = begin(find(options["installation"]), options["check"])
        execute(verification.pk)
        verification.refresh_from_db()
        checks = [result.as_json() for result in verification.results.all()]
        told = {
            "installation": verification.installation_id,
            "verification": verification.pk,
            "outcome": verification.state,
            "correlation_id": verification.correlation_id,
            "checks": checks,
        }
        self.stdout.write(json.dumps(told, indent=2))
        failed = [check["check"] for check in checks if check["outcome"] == "failed"]
        if failed:
            raise CommandError(f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}.")


def begin(installation: Installation, slugs: list[str] | None) -> Verification:
    """One that a killed process left open is ended first: no worker need be there to do it. Raises CommandError."""
    for left in Verification.objects.open().filter(installation=installation):
        execute(left.pk)
    try:
        return new_verification(COMMAND_LINE, installation, slugs)
    except UnderWay as error:
        raise CommandError(str(error)) from error


def find(name: str) -> Installation:
    """By name first, then by id. Raises CommandError."""
    found = Installation.objects.called(name)
    if found is None:
        raise CommandError(f"No installation is called {name!r}. The list is on the page Installations.")
    return found
