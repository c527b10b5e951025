"""An installation by command, as the guided form makes it: checked by the same forms, made by the same actions."""

from __future__ import annotations

import json
import os
from typing import Any

from django import forms
from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections import actions
from connections.forms import OPENAI, ConnectionFields, ConnectionForm
from connections.installation_forms import MORE, InstallationForm, MoreLimits
from connections.management.errors import first_error
from connections.models import DEFAULT_BASE_URL, Connection, Installation
from logs.audit import COMMAND_LINE

NUMBERS = {
    "throttle_limit": 500,
    "throttle_seconds": None,
    "concurrent_connections": None,
    "concurrent_batches": None,
    "deadline_seconds": None,
}
CHOICES = {
    "window_mode": [value for value, _ in Installation.WINDOW],
    "retry_wait": [value for value, _ in Installation.RETRY_WAIT],
}


def _option(name: str) -> dict[str, Any]:
    """How the command line takes a field of the form: a switch for a tick, else a word or number with its choices."""
    field = MoreLimits.base_fields[name]
    if isinstance(field, forms.BooleanField):
        return {"action": "store_true"}
    return {"default": None, "choices": CHOICES.get(name)}


class Command(BaseCommand):
    help = "Make a connection and an installation. The API key is read from OPENAI_API_KEY. Prints JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="unique, usually [Product] - [Environment/Purpose]")
        parser.add_argument("--model", required=True, help="such as gpt-6-luna")
        parser.add_argument("--base-url", default="", help=f"by default {DEFAULT_BASE_URL}")
        parser.add_argument("--connection", default="", help="an existing connection, or the new one's name")
        parser.add_argument("--organization", default="", help="OpenAI organization ID of the new connection")
        parser.add_argument("--project", default="", help="OpenAI project ID of the new connection")
        for name in NUMBERS:
            parser.add_argument(f"--{name.replace('_', '-')}", default=None)
        parser.add_argument("--excess", default="wait", choices=["wait", "reject"])
        for name in MORE:
            parser.add_argument(f"--{name.replace('_', '-')}", **_option(name))
        parser.add_argument("--no-default-mappings", dest="default_mappings", action="store_false")
        parser.add_argument("--entity", default="Product", help="the entity named in the webhook URL")

    def handle(self, *args: Any, **options: Any) -> None:
        form = InstallationForm(self._installation_data(options))
        if not form.is_valid():
            raise CommandError(first_error(form))
        try:
            connection = self._connection(options)
            made = actions.create_installation(
                COMMAND_LINE, connection=connection, entity=options["entity"], **form.fields_of_installation()
            )
        except actions.Refusal as refusal:
            raise CommandError(str(refusal)) from None
        self._warn(connection, made)
        self.stdout.write(
            json.dumps(
                {
                    "installation": made.installation.pk,
                    "name": made.installation.name,
                    "connection": connection.pk,
                    "connection_status": connection.status,
                    "webhook_url": made.webhook_url,
                    "webhook_key": made.webhook_key,
                }
            )
        )

    def _installation_data(self, options: dict[str, Any]) -> dict[str, Any]:
        blank = InstallationForm()
        numbers = {name: options[name] if options[name] is not None else blank.fields[name].initial for name in NUMBERS}
        plain = {name: options[name] for name in ("name", "model", "excess", "default_mappings")}
        return plain | numbers | {name: options[name] for name in MORE}

    def _connection(self, options: dict[str, Any]) -> Connection:
        """The one that `--connection` names, else a new one, tested as the page does it."""
        there = Connection.objects.filter(name=options["connection"]).first() if options["connection"] else None
        if there is not None:
            if options["base_url"] and options["base_url"].rstrip("/") != there.base_url:
                raise CommandError(f"“{there.name}” calls {there.base_url}. Leave out --base-url, or name another.")
            return there
        base_url = options["base_url"].strip().rstrip("/") or DEFAULT_BASE_URL
        api_key = os.environ.get("OPENAI_API_KEY", "")
        if not api_key.strip() and ConnectionFields.kind_of(base_url) == OPENAI:
            raise CommandError("OPENAI_API_KEY is not set. Put the API key into that variable, for this command alone.")
        data = {name: options[name] for name in ("organization", "project")} | {
            "name": options["connection"] or options["name"],
            "kind": ConnectionFields.kind_of(base_url),
            "base_url": base_url,
            "api_key": api_key,
        }
        form = ConnectionForm(data)
        if not form.is_valid():
            raise CommandError(f"Connection: {first_error(form)}")
        facts = {name: value for name, value in form.cleaned_data.items() if name != "kind"}
        made = actions.create_connection(COMMAND_LINE, **facts)
        return actions.test_connection(made, actions.test_context(made, COMMAND_LINE))

    def _warn(self, connection: Connection, made: actions.Installed) -> None:
        """What went wrong on the way and does not stop the installation, on standard error."""
        failed = [f"The connection's test failed: {connection.status_text}"] if connection.status == "failed" else []
        for warning in [*failed, *made.warnings]:
            self.stderr.write(warning)
