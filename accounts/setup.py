"""The first-run page's one-time address, printed by `start.py` as long as no administrator exists."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import SetupToken, User

# By it the log files know a token where an address stands in a line, and leave it out.
PREFIX: Final = "pbs_"
VALID_FOR: Final = timedelta(hours=24)
EVERY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what a server listens on, no browser opens


def needs_setup() -> bool:
    return not User.objects.administrators().exists()


def new_setup_address() -> str | None:
    """A fresh address of the first-run page, reachable on this machine; None when an administrator exists.

    Only the SHA-256 of its token is kept. Addresses printed earlier stop working, so that one at most is open.
    """
    if not needs_setup():
        return None
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        forget_unused_tokens()
        SetupToken.objects.create(digest=_digest(token))
    return f"{_local_address()}{reverse('accounts:setup', args=[token])}"


def is_open(token: str) -> bool:
    return _usable(token).exists()


def use_token(token: str) -> bool:
    """Take the token; of two who try at the same moment, one is told True. To be called in a transaction."""
    return _usable(token).update(used_at=timezone.now()) == 1


def forget_unused_tokens() -> None:
    SetupToken.objects.filter(used_at=None).delete()


def _usable(token: str) -> QuerySet[SetupToken]:
    return SetupToken.objects.filter(digest=_digest(token), used_at=None, created_at__gt=timezone.now() - VALID_FOR)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _local_address() -> str:
    return f"http://{EVERY_ADDRESS.get(settings.HOST, settings.HOST)}:{settings.PORT}"
