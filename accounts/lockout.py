"""Guessing passwords is stopped by name and address: after five wrong ones in a row, that pair waits fifteen minutes.

Both together, because a lock by name alone lets anyone lock the administrator out, and a lock by address alone locks a
whole office.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import SignInTries

LIMIT: Final = 5
PAUSE: Final = timedelta(minutes=15)
KEPT: Final = timedelta(days=1)


@dataclass(frozen=True)
class Try:
    """`left` tries remain after this one, should it fail; `until` is set when this one is not allowed at all."""

    left: int
    until: datetime | None = None


def begin_try(name: str, address: str) -> Try:
    """Count a try *before* its password is looked at, so that many at the same moment get no more than one by one."""
    now = timezone.now()
    with transaction.atomic():
        SignInTries.objects.filter(last_at__lt=now - KEPT).delete()
        tries, _ = SignInTries.objects.select_for_update().get_or_create(
            key=_key(name, address), defaults={"last_at": now}
        )
        if tries.last_at + PAUSE <= now:
            tries.count = 0
        if tries.count >= LIMIT:
            return Try(0, until=tries.last_at + PAUSE)
        tries.count, tries.last_at = tries.count + 1, now
        tries.save()
    return Try(LIMIT - tries.count)


def forget_tries(name: str, address: str) -> None:
    """After a right password the next wrong one counts as the first."""
    SignInTries.objects.filter(key=_key(name, address)).delete()


def _key(name: str, address: str) -> str:
    return salted_hmac("accounts.lockout", f"{address}\n{name.casefold()}", algorithm="sha256").hexdigest()
