"""`manage.py refresh_catalogue DOCUMENT`: makes the catalogue of operations anew from an OpenAPI document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from openai_api.catalogue import FOLDER
from openai_api.catalogue.document import NotADocument
from openai_api.catalogue.refreshing import additions_in, differences, load, made_from, save


class Command(BaseCommand):
    help = "Reads OpenAI's OpenAPI document (JSON, or YAML where PyYAML is installed) and says what changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("document", type=Path, help="the document, as a file")
        parser.add_argument("--dry-run", action="store_true", help="say what would change and change nothing")
        parser.add_argument("--into", type=Path, default=FOLDER, help="the folder of the catalogue")

    def handle(self, *args: Any, document: Path, dry_run: bool, into: Path, **options: Any) -> None:
        try:
            new = made_from(parsed(document), additions_in(into))
        except NotADocument as error:
            raise CommandError(str(error)) from None
        lines = list(differences(load(into), new))
        for line in lines:
            self.stdout.write(line)
        if not dry_run:
            save(new, into)
        count = f"{len(lines)} change{'' if len(lines) == 1 else 's'}, {len(new.operations)} operations."
        self.stdout.write(f"{count} {'Nothing was written.' if dry_run else 'Restart Patchbay to use them.'}")


def parsed(path: Path) -> Any:
    """The document's content. Raises CommandError with a sentence on what is wrong with the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}. Name a file that holds the document.") from None
    try:
        return json.loads(text)
    except ValueError as error:
        if text.lstrip().startswith("{"):
            raise CommandError(f"{path} is not whole JSON: {error}. Get the file again.") from None
    return _from_yaml(path, text)


def _from_yaml(path: Path, text: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise CommandError(
            f"{path} is not JSON, and YAML can only be read where PyYAML is installed. "
            "Install it (pip install pyyaml) or convert the file to JSON first."
        ) from None
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.YAMLError as error:
        raise CommandError(f"{path} is neither JSON nor YAML: {error}. Get the file again.") from None
