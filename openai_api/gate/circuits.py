"""Connections that are stopped because they fail hard: which they are, and whose turn it is to try them again.

The gate itself opens and closes circuits as answers come (`openai_api.gate.holds`); this is for whoever shows and probes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import QuerySet

from openai_api.gate.rules import FAILURES
from openai_api.gate.state import clock
from openai_api.models import Hold

# A probe is given so many seconds to end; one that was lost is made again after them.
PROBE_LEASE = 60.0


@dataclass(frozen=True)
class Stop:
    """Why the calls of a connection are refused; `words` is what the last failure said, `call_id` its row in the log."""

    failures: int
    since: datetime
    next_probe: datetime
    code: str
    words: str
    call_id: UUID | None


def stops(keys: Iterable[str] | None = None) -> dict[str, Stop]:
    """Hold key of a connection → why it is stopped; of these keys, or of all."""
    found = _open() if keys is None else _open().filter(key__in=list(keys))
    return {
        hold.key: Stop(hold.failures, _moment(hold.since), _moment(hold.until), hold.code, hold.words, hold.call_id)
        for hold in found
    }


def claim_probes() -> list[str]:
    """The keys of stopped connections whose time to be tried again has come. Of several processes one gets each."""
    now = clock()
    due = list(_open().filter(until__lte=now).values_list("pk", "key", "until"))
    return [key for pk, key, until in due if _open().filter(pk=pk, until=until).update(until=now + PROBE_LEASE)]


def _open() -> QuerySet[Hold]:
    return Hold.objects.filter(kind="circuit", failures__gte=FAILURES)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
