"""Brings the database and the static files up to date. Done by web before it serves; cheap when nothing is to do."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

STAMP = "static.sha256"


def prepare() -> None:
    migrate()
    collect_static()


def migrate() -> None:
    """Asks the database itself what it lacks: a stamp would be wrong after a restored backup or a new DATABASE_URL."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)


def collect_static() -> None:
    """Hashes and compresses the static files again when one of them changed."""
    stamp: Path = settings.VAR_DIR / STAMP
    seen = fingerprint()
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != seen:
        call_command("collectstatic", interactive=False, verbosity=0, clear=True, skip_checks=True)
        stamp.write_text(seen, encoding="utf-8")


def fingerprint() -> str:
    """SHA-256 over place, size and time of every static file, those of packages included."""
    seen = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda entry: str(entry[0])):
            path = Path(storage.path(name))
            seen.update(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}\n".encode())
    return seen.hexdigest()
