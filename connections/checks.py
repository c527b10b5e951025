"""A process that cannot open the stored secrets refuses to start, and says which key it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from connections.resealing import unknown_keys


def assert_keys_open(process_name: str = "") -> None:
    """Raises ImproperlyConfigured. Cheap enough for every start of a process: it reads key ids and opens nothing."""
    trouble = trouble_with_keys()
    if trouble:
        raise ImproperlyConfigured(trouble)


def trouble_with_keys() -> str:
    """A sentence that names the missing keys, or nothing."""
    try:
        missing = unknown_keys()
    except DatabaseError:
        return ""  # the tables are not there yet, and so are no secrets
    if not missing:
        return ""
    count, keys = sum(missing.values()), ", ".join(sorted(missing))
    return (
        f"{count} stored secret{'' if count == 1 else 's'} cannot be opened: sealed under key {keys}, which is not in "
        "SEALING_KEYS. Put that key back, behind the first one if it was replaced, then start again."
    )


@register(Tags.database)
def stored_secrets_open(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    trouble = trouble_with_keys() if databases else ""
    return [Error(trouble, id="connections.E001")] if trouble else []
