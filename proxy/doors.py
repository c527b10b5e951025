"""Who stands behind a token: the installation's client, ready to be called. Kept for a moment, so that it costs a call nothing."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import close_old_connections
from django.db.models import Q
from django.utils import timezone

from connections.clients import client_for
from connections.models import Installation
from openai_api import client, passing
from proxy import options
from proxy.models import PREFIX, Token, digest
from proxy.options import Options

# A revoked token, a replaced key and a changed limit are heeded after so many seconds.
FRESH = 1.0
# So many seconds before, a door that is in use is looked at again, so that nobody has to wait for it.
EARLY = 0.3
MOST_KEPT = 1000
MOST_HEADS = 50
USED_EVERY = timedelta(minutes=1)


Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Head:
    """What the headers of a request ask for: its options, and what is passed on."""

    options: Options
    passed: client.Head


@dataclass(frozen=True)
class Door:
    """A way in: the token's id and name for the log, and the installation's client."""

    token_id: int
    token_name: str
    client: client.Client
    _heads: dict[Headers, Head] = field(default_factory=dict)

    def head(self, given: Headers) -> Head:
        """Headers (names in lower case) as they are passed on. Raises NotPassedOn or BadOption.

        A program sends the same ones with each request, so what they come to is kept for as long as the door is.
        """
        found = self._heads.get(given)
        if found is None:
            named = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in given]
            chosen = options.read(dict(named), self.client.retries)
            found = Head(chosen, self.client.head(passing.headers(named, self.client.headers)))
            if len(self._heads) < MOST_HEADS:
                self._heads[given] = found
        return found


@dataclass
class Kept:
    """A door that was found, and the look that will tell whether it still opens."""

    door: Door
    until: float
    look: asyncio.Task[Door | None] | None = None


# So many look at once: whoever tries wrong tokens by the thousand takes no more threads and connections than these.
_eyes = ThreadPoolExecutor(4, thread_name_prefix="doors")
_kept: dict[tuple[str, str], Kept] = {}


async def door(installation: str, token: str) -> Door | None:
    """The door that `token` opens at `installation` (its id or name), or None. Raises what the database raises.

    A crowd at the same door sends one of its own to look again.
    """
    if not token.startswith(PREFIX):
        return None
    key = installation, digest(token)
    kept = _kept.get(key)
    if kept is None:
        return _keep(key, await _look(*key))
    rest = kept.until - time.monotonic()
    if rest < EARLY and kept.look is None:
        kept.look = asyncio.ensure_future(_look(*key))
        kept.look.add_done_callback(lambda look: _looked(key, kept, look))
    return kept.door if rest > 0 or kept.look is None else await asyncio.shield(kept.look)


def _keep(key: tuple[str, str], found: Door | None) -> Door | None:
    if found is not None:
        while len(_kept) >= MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = Kept(found, time.monotonic() + FRESH)
    return found


def _looked(key: tuple[str, str], kept: Kept, look: asyncio.Task[Door | None]) -> None:
    kept.look = None
    if look.cancelled() or look.exception() is not None:
        return
    if _kept.get(key) is kept:
        del _kept[key]
    _keep(key, look.result())


async def _look(installation: str, token_digest: str) -> Door | None:
    return await asyncio.get_running_loop().run_in_executor(_eyes, _find, installation, token_digest)


def _find(installation: str, token_digest: str) -> Door | None:
    close_old_connections()
    try:
        token = Token.objects.filter(digest=token_digest, revoked_at=None).first()
        named = Installation.objects.called(installation) if token else None
        if token is None or named is None or not token.installations.filter(pk=named.pk).exists():
            return None
        _note_use(token)
        return Door(token.pk, token.name, client_for(named))
    finally:
        close_old_connections()


def _note_use(token: Token) -> None:
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - USED_EVERY:
        Token.objects.filter(stale, pk=token.pk).update(last_used_at=now)
