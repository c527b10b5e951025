"""Requests without a valid token are counted, not logged: one row for each day and reason, with the last of them as example."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from datetime import date
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.db.models import F
from django.utils import timezone

from logs.redaction import clean
from proxy.models import Knock

WRITE_AFTER = 5.0
_lock = threading.Lock()
_tasks: set[asyncio.Future[None]] = set()
_waiting: dict[str, tuple[int, str, str]] = {}


def count(reason: str, scope: Mapping[str, Any]) -> None:
    """Remember one. Touches no database: `write` does, every few seconds."""
    client = scope.get("client")
    path = clean(scope["raw_path"].decode("latin-1").partition("?")[0])[:200]
    with _lock:
        if not _waiting:
            asyncio.get_running_loop().call_later(WRITE_AFTER, _write_soon)
        known, _, _ = _waiting.get(reason, (0, "", ""))
        _waiting[reason] = known + 1, str(client[0]) if client else "", path


def _write_soon() -> None:
    task = asyncio.ensure_future(sync_to_async(write, thread_sensitive=False)())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def write() -> None:
    """Write what came since the last time."""
    with _lock:
        found, now = dict(_waiting), timezone.now()
        _waiting.clear()
    try:
        for reason, (number, address, path) in found.items():
            _add(now.date(), reason, number, {"last_at": now, "address": address, "path": path})
    finally:
        connection.close()


def _add(day: date, reason: str, number: int, last: dict[str, Any]) -> None:
    row, _ = Knock.objects.get_or_create(day=day, reason=reason, defaults=last)
    Knock.objects.filter(pk=row.pk).update(count=F("count") + number, **last)
