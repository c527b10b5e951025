"""`manage.py operation INSTALLATION OPERATION`: run one operation of the catalogue and print OpenAI's answer."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from connections.clients import NoAdminKey
from connections.management.errors import installation_called
from connections.models import Installation
from logs.audit import COMMAND_LINE
from openai_api.catalogue import OPERATIONS, Operation
from openai_api.passing import NotPassedOn
from operations import choosing, formulas, keeping, records, running
from operations.asking import Asked
from operations.costly import consequence
from operations.fields.typed import json_problem, parsed
from operations.form import DEFAULT_ITEMS, DEFAULT_PAGES, OperationForm
from operations.lists import actions, following, items, paging
from operations.models import Listing


class Command(BaseCommand):
    help = (
        "Run one operation through an installation and print OpenAI's answer. Values that begin with = are expressions."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("installation", help="name or id")
        parser.add_argument("operation", help="id of the catalogue, such as list_files")
        parser.add_argument("--path", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")
        parser.add_argument("--query", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")
        parser.add_argument("--body", metavar="FILE", help="JSON, or = and an expression; - is standard input")
        parser.add_argument("--record", default="", metavar="ENTITY/KEY", help="the record that expressions know")
        parser.add_argument("--follow", action="store_true", help="follow the pages of a list to its end")
        parser.add_argument("--limit", type=int, default=DEFAULT_ITEMS, help="of items, with --follow")
        parser.add_argument("--pages", type=int, default=DEFAULT_PAGES, help="limit of pages, with --follow")
        parser.add_argument("--yes", action="store_true", help="do what deletes or costs much")

    def handle(self, *args: Any, **options: Any) -> None:
        installation, operation = installation_called(options["installation"]), _operation(options["operation"])
        offer = choosing.offer(operation, installation.connection, timezone.localdate())
        if offer.refused:
            raise CommandError(offer.refused)
        asked = _asked(installation, operation, options)
        if choosing.is_grave(operation) and not options["yes"]:
            raise CommandError(f"{consequence(operation.method, asked.path)} Add --yes to send it.")
        try:
            self._follow(installation, asked, options) if options["follow"] else self._run(installation, asked)
        except (NotPassedOn, NoAdminKey) as refusal:
            raise CommandError(str(refusal)) from None

    def _run(self, installation: Installation, asked: Asked) -> None:
        answer = running.run(installation, asked, COMMAND_LINE.name)
        if answer.state != "done":
            raise CommandError(answer.error or "The answer did not come to its end.")
        self._print([keeping.path_of(answer.pk).read_bytes()])

    def _follow(self, installation: Installation, asked: Asked, options: dict[str, Any]) -> None:
        listing = actions.new(COMMAND_LINE, installation, asked, options["limit"], options["pages"])
        try:
            following.execute(listing.pk)
        except KeyboardInterrupt:
            actions.stop(COMMAND_LINE, listing)
        listing = Listing.objects.get(pk=listing.pk)
        self._print(items.as_json(listing.pk, listing.pages, listing.more))
        if listing.state != "done":
            raise CommandError(f"{listing.note} Printed are the {listing.items:,} items that had come.")

    def _print(self, pieces: Any) -> None:
        """Bytes as they are: an answer may be a picture. Tests read text."""
        raw = getattr(self.stdout._out, "buffer", None)
        for piece in pieces:
            raw.write(piece) if raw else self.stdout.write(piece.decode("utf-8", "replace"), ending="")
        if raw:
            raw.flush()


def _operation(name: str) -> Operation:
    if name in OPERATIONS:
        return OPERATIONS[name]
    near = ", ".join(difflib.get_close_matches(name, OPERATIONS, n=3))
    raise CommandError(f"No operation is called {name}." + (f" Near it: {near}." if near else ""))


def _asked(installation: Installation, operation: Operation, options: dict[str, Any]) -> Asked:
    """The request, checked as the form checks it. Raises CommandError with the first problem."""
    known = formulas.context(installation.name, installation.model, timezone.localtime(), _record(options["record"]))
    path = dict(_pairs("path", options["path"], known))
    missing = [each.name for each in operation.parameters if each.place == "path" and each.name not in path]
    if missing:
        raise CommandError(f"The path of {operation.id} is {operation.path}. Add --path {missing[0]}=VALUE.")
    query = tuple(_pairs("query", options["query"], known))
    body, expression = _body(options["body"])
    form = OperationForm(operation, installation.model, known=known)
    form.begin_with(Asked(operation.method, operation.fill(path), operation.id, query=query, body=body))
    form.typed |= {"formula": expression} | _limits(operation, options)
    if not form.check():
        where, sentence = next(iter(form.problems.items()))
        raise CommandError(f"{_called(where)}: {sentence}")
    return form.asked({})


def _record(name: str) -> Any:
    record = records.named(name) if name else {}
    if record is None:
        raise CommandError(f"There is no record “{name}”. Write its entity and its key, such as Product/SKU-1.")
    return record


def _pairs(place: str, given: list[str], known: formulas.Context) -> list[tuple[str, str]]:
    """Names with their values, expressions worked out; a name may come twice."""
    found = []
    for each in given:
        name, sign, text = each.partition("=")
        if not sign:
            raise CommandError(f"--{place} {each} has no value. Write it as NAME=VALUE.")
        typed, problems = formulas.worked_out({f"{place}/{name}": text}, known)
        for sentence in problems.values():
            raise CommandError(f"--{place} {name}: {sentence}")
        found.append((name, typed[f"{place}/{name}"]))
    return found


def _body(file: str | None) -> tuple[Any, str]:
    """The JSON of a file, or the expression that it holds."""
    if not file:
        return None, ""
    try:
        text = (sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")).strip()
        return (None, text) if text.startswith(formulas.SIGN) else (parsed(text), "")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise CommandError(f"{file} is no JSON: {json_problem(error)}") from None


def _limits(operation: Operation, options: dict[str, Any]) -> dict[str, str]:
    if not options["follow"]:
        return {}
    if not paging.has_pages(operation):
        raise CommandError(f"{operation.id} has no pages to follow. Leave out --follow.")
    return {"follow": "on", "follow_items": str(options["limit"]), "follow_pages": str(options["pages"])}


def _called(where: str) -> str:
    """A place of the form as the command line has it."""
    named = {"follow_items": "--limit", "follow_pages": "--pages", "formula": "--body"}
    return named.get(where) or f"--{where.replace('/', ' ', 1)}"
