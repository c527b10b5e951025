"""What SQLite wrote to its second file goes over into the database in the worker, not in the commit of a call."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from accounts.models import User
from jobs.checkpoint import checkpoint


@pytest.mark.django_db(transaction=True)
def test_a_checkpoint_carries_over_what_was_written():
    if connection.vendor != "sqlite":
        pytest.skip("Only SQLite has a second file.")
    database = Path(connection.settings_dict["NAME"])
    User.objects.create(username="carried-over")
    assert b"carried-over" not in database.read_bytes()
    checkpoint()
    assert b"carried-over" in database.read_bytes()
