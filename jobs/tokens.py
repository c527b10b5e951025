"""Tokens of the leases that stand in rows: each is new, and each begins with the name of the process that holds it.

A name stays over the restarts of a process, so whoever starts under it finds what a killed predecessor held.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db.models import Q

LENGTH = 150


def new_token() -> str:
    return f"{settings.PROCESS_NAME}/{uuid.uuid4().hex}"[-LENGTH:]


def held_by(process_name: str) -> Q:
    """Rows whose `lease_token` was taken under this name; none for the processes that have no name."""
    return Q(lease_token__startswith=f"{process_name}/") if process_name else Q(pk__in=[])
