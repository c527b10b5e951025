"""What an answer says about the calls to come: OpenAI's own quota, and connections that fail hard.

Sources: the `x-ratelimit-*` and `retry-after*` headers (OpenAI's rate limit guide); each is optional.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import F

from logs.recorder import Ended
from openai_api.errors import NO_CREDIT
from openai_api.gate.rules import FAILURES
from openai_api.gate.tickets import Ticket
from openai_api.models import Hold
from openai_api.retries import asked_wait, go_duration

# A broken connection is tried again by a probe after this many seconds at first, later after as long as it has been
# broken, so that the pause doubles each time, up to the longest.
FIRST_PROBE, LONGEST_PROBE = 15.0, 600.0
FOREIGN = ("not_openai", "redirect_refused")
# `(kind, name, what is left, when it is full again)` of each quota that OpenAI's headers report.
QUOTAS = [
    (kind, name, f"x-ratelimit-remaining-{name}", f"x-ratelimit-reset-{name}")
    for kind, name in (("requests", "requests"), ("tokens", "tokens"), ("tokens", "project-tokens"))
]
# Holds that this process has seen or made, so that the usual answer costs no statement.
known: set[tuple[str, str]] = set()


class Quota(NamedTuple):
    """What is left of a quota of OpenAI's (`requests` or `tokens`), by its name, and when it is full again, as OpenAI says it."""

    kind: str
    left: int
    name: str
    reset: str

    @property
    def seconds(self) -> float:
        """Until it is full again; 0 where that cannot be read."""
        return go_duration(self.reset) or 0.0

    @property
    def words(self) -> str:
        return f"{self.left} {self.name.replace('-', ' ')} are left, and it is full again in {self.reset}"


def quotas(headers: dict[str, str]) -> list[Quota]:
    """The quotas that an answer's headers report, of each kind the scarcest. `-1`, absent and unreadable values say nothing."""
    found: dict[str, Quota] = {}
    for kind, name, remaining, full_again in QUOTAS:
        left, reset = headers.get(remaining, ""), headers.get(full_again, "")
        if reset and left.isascii() and left.isdigit():
            quota = Quota(kind, int(left), name, reset)
            known_so_far = found.get(kind)
            found[kind] = quota if known_so_far is None else min(known_so_far, quota, key=_left)
    return list(found.values())


def _left(quota: Quota) -> int:
    return quota.left


def observe(ticket: Ticket, ended: Ended, now: float) -> None:
    """Make, lift or lengthen the holds that this answer speaks of. Inside the turn's transaction."""
    if not ticket.connection:
        return
    _health(ticket, ended, now)
    if not ended.rate_limits:
        return
    _asked_to_wait(ticket, ended, now)
    for quota in quotas(ended.rate_limits):
        scarce = quota.kind == "tokens" and quota.left < 2 * ticket.tokens
        if quota.left == 0 or scarce:
            if quota.seconds:
                _hold(ticket.hold_key, quota.kind, now + quota.seconds, quota.words, quota.left)
        elif ended.http_status != 429:
            _lift(ticket.hold_key, quota.kind)


def _asked_to_wait(ticket: Ticket, ended: Ended, now: float) -> None:
    if ended.http_status != 429 or ended.hard:
        return
    asked = asked_wait(ended.rate_limits, ended.error_message)
    if asked is not None:
        seconds, words = asked
        _hold(ticket.hold_key, "requests", now + seconds, f"it answered 429 and asked to wait ({words})", 0)


def _hold(key: str, kind: str, until: float, words: str, left: int) -> None:
    Hold.objects.update_or_create(key=key, kind=kind, defaults={"until": until, "left_over": left, "words": words})
    known.add((key, kind))


def _lift(key: str, kind: str) -> None:
    if (key, kind) in known:
        Hold.objects.filter(key=key, kind=kind).delete()
        known.discard((key, kind))


def _health(ticket: Ticket, ended: Ended, now: float) -> None:
    """Hard failures in a row open the circuit; any answer of OpenAI's closes it. A foreign answer says nothing."""
    if ended.hard:
        _failed(ticket, ended, now)
    elif ended.http_status is not None and ended.error_code not in FOREIGN:
        _recovered(ticket)


def _recovered(ticket: Ticket) -> None:
    """A probe costs nothing, so its answer says nothing of the credit: then calls may pass, and the next that fails stops them."""
    if ticket.probe and (ticket.connection, "circuit") in known:
        credit = Hold.objects.filter(key=ticket.connection, kind="circuit", code__in=NO_CREDIT)
        if credit.update(failures=FAILURES - 1):
            return
    _lift(ticket.connection, "circuit")


def _failed(ticket: Ticket, ended: Ended, now: float) -> None:
    row, made = Hold.objects.get_or_create(
        key=ticket.connection, kind="circuit", defaults={"until": now, "failures": 1, "since": now}
    )
    # A failure of long ago, which nothing followed, is not when this trouble began.
    since = row.since if now - row.until < LONGEST_PROBE else now
    Hold.objects.filter(pk=row.pk).update(
        failures=F("failures") + int(not made),
        since=since,
        until=now + min(max(now - since, FIRST_PROBE), LONGEST_PROBE),
        code=ended.error_code[:80],
        words=ended.error_message,
        call_id=ticket.call_id,
    )
    known.add((ticket.connection, "circuit"))


def forget(connection: str) -> None:
    """A new key or address begins without the failures of the old one."""
    Hold.objects.filter(key=connection, kind="circuit").delete()
