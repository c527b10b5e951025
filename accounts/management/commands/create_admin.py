"""`manage.py create_admin --username U`: an administrator, with the password on standard input."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import actions
from accounts.forms import PersonForm
from logs.audit import COMMAND_LINE


class Command(BaseCommand):
    help = "Create an administrator. The password is read from standard input, JSON is written to standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        password = _read_password()
        if not password:
            raise CommandError("No password came on standard input. Pipe it in, as one line.")
        form = PersonForm({"username": options["username"], "password1": password, "password2": password})
        if not form.is_valid():
            name, sentences = next(iter(form.errors.items()))
            raise CommandError(f"{form.fields[name].label}: {sentences[0]}")
        person = actions.create_person(COMMAND_LINE, form.cleaned_data["username"], "administrator", password)
        self.stdout.write(json.dumps({"id": person.pk, "username": person.username, "role": person.role}))


def _read_password() -> str:
    """The first line of standard input; asked for, unseen, where a person sits at it."""
    return getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
