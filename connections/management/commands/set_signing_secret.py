"""The signing secret of an installation's webhook, from standard input."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections import actions
from connections.installation_forms import SigningSecretForm
from connections.management.errors import first_error, installation_called
from logs.audit import COMMAND_LINE


class Command(BaseCommand):
    help = "Set the secret with which OpenAI signs an installation's webhooks. Reads it from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("installation", help="name or id")

    def handle(self, *args: Any, **options: Any) -> None:
        installation = installation_called(options["installation"])
        form = SigningSecretForm({"secret": sys.stdin.read()})
        if not form.is_valid():
            raise CommandError(first_error(form))
        actions.set_signing_secret(COMMAND_LINE, installation, form.cleaned_data["secret"])
        said = {"installation": installation.pk, "name": installation.name}
        self.stdout.write(json.dumps(said | {"signing_secret_set_at": str(installation.signing_secret_set_at)}))
