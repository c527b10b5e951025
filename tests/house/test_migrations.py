"""The migrations are what the models say."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from config import prepare


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=1)


@pytest.mark.django_db
def test_a_start_on_an_up_to_date_database_runs_no_migration(monkeypatch):
    ran = []
    monkeypatch.setattr(prepare, "call_command", lambda command, **_: ran.append(command))
    prepare.migrate()
    assert ran == []
    monkeypatch.setattr(prepare.MigrationExecutor, "migration_plan", lambda *_: ["one more"])
    prepare.migrate()
    assert ran == ["migrate"]
