"""SQLite's own housekeeping, in the workers: what was written to the second file (`-wal`) goes over into the database.

SQLite does it by itself in whichever commit comes to the thousandth page, and that commit then waits for the disk, a fifth
of a second at times. A call that waits to be sent is the wrong one to pay for it (sqlite.org/wal.html, "Checkpointing").
"""

from __future__ import annotations

from django.db import connection


def checkpoint() -> None:
    """Carry over what can be carried without holding anyone up. Does nothing on other databases."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
