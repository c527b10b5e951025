"""A token for the proxy by command, checked by the page's form and made by its action."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.management.errors import first_error, installation_called
from logs.audit import COMMAND_LINE
from proxy.actions import create_token
from proxy.addresses import base_url
from proxy.forms import TokenForm


class Command(BaseCommand):
    help = "Make a token with which a program may use an installation through the proxy. Prints it, once, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--installation", required=True, action="append", help="name or id; once for each that it may use"
        )
        parser.add_argument("--name", required=True, help="who will use it; the log shows it beside each call")

    def handle(self, *args: Any, **options: Any) -> None:
        scope = [installation_called(name_or_id) for name_or_id in options["installation"]]
        form = TokenForm({"name": options["name"], "installations": [row.pk for row in scope]})
        if not form.is_valid():
            raise CommandError(first_error(form))
        made = create_token(COMMAND_LINE, **form.cleaned_data)
        self.stdout.write(json.dumps({"token": made.secret, "base_url": base_url(scope[0])}))
