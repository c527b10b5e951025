"""Which failures are tried again, after how long, and when trying again would pay twice. Pure rules, no clock of their own.

Sources: `x-should-retry`, `retry-after-ms`, `retry-after` and `x-ratelimit-reset-*` headers (OpenAI's rate limit guide and
its official SDK); the kinds of 429 from OpenAI's error guide.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from openai_api import errors

LONGEST_WAIT = 120.0
GO_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
GO_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
TRY_AGAIN = re.compile(r"try again in ((?:\d+(?:\.\d+)?(?:ms|s|m|h))+)", re.IGNORECASE)


@dataclass(frozen=True)
class RetryPolicy:
    """`count` tries after the first. `delay` is a fixed wait in seconds, else backoff doubles from 0.5 s up to `cap`.

    `repeat_unknown` allows a POST whose outcome is unknown to be sent again, which may be paid twice. `on_all_errors`
    widens the list, yet never to what cannot succeed (400, 401, 403, 404, no credit). `only` narrows it to answers of these
    statuses (`429`, `5xx`).
    """

    count: int = 2
    delay: float | None = None
    backoff: bool = True
    cap: float = 60.0
    repeat_unknown: bool = False
    on_all_errors: bool = False
    only: tuple[str, ...] = ()

    def allows(self, status: int | None) -> bool:
        """Whether an answer with this status may be tried again; what got no answer always may."""
        return not self.only or status is None or bool({str(status), f"{status // 100}xx"} & set(self.only))


@dataclass(frozen=True)
class Again:
    """Wait `seconds`, then try again; `reason` stands on the call's timeline."""

    seconds: float
    reason: str


def go_duration(text: str) -> float | None:
    """Seconds of a Go duration (`12ms`, `6m0s`, `1.98s`); None for anything else, `-1` and plain numbers included."""
    text = text.strip()
    parts = GO_DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * GO_UNITS[unit] for number, unit in parts)


def asked_wait(headers: Mapping[str, str], message: str = "", now: datetime | None = None) -> tuple[float, str] | None:
    """How long the answer asks to wait, in seconds, and which header or words said so."""
    for found in (_retry_after_ms(headers), _retry_after(headers, now), _in_words(message), _quota_reset(headers)):
        if found is not None:
            return found
    return None


def _retry_after_ms(headers: Mapping[str, str]) -> tuple[float, str] | None:
    value = headers.get("retry-after-ms", "")
    number = _number(value)
    return (number / 1000, f"retry-after-ms: {value}") if number is not None and number > 0 else None


def _retry_after(headers: Mapping[str, str], now: datetime | None) -> tuple[float, str] | None:
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is None and value:
        seconds = go_duration(value)
    if seconds is None and value:
        try:
            seconds = (parsedate_to_datetime(value) - (now or datetime.now(UTC))).total_seconds()
        except (ValueError, TypeError):
            return None
    return (seconds, f"retry-after: {value}") if seconds is not None and seconds > 0 else None


def _in_words(message: str) -> tuple[float, str] | None:
    found = TRY_AGAIN.search(message)
    seconds = go_duration(found.group(1)) if found else None
    return (seconds, f"“{found.group()}”") if found and seconds else None


def _quota_reset(headers: Mapping[str, str]) -> tuple[float, str] | None:
    """The reset of a quota that is used up; `reset` is the time until the quota is full again, so it is an upper bound."""
    waits = [
        (seconds, f"x-ratelimit-reset-{kind}: {value}")
        for kind in ("requests", "tokens", "project-tokens")
        if headers.get(f"x-ratelimit-remaining-{kind}") == "0"
        and (value := headers.get(f"x-ratelimit-reset-{kind}", ""))
        and (seconds := go_duration(value))
    ]
    return max(waits) if waits else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number == number and abs(number) != float("inf") else None


def decide(
    policy: RetryPolicy, error: errors.CallError, repeatable: bool, attempt: int, headers: Mapping[str, str]
) -> Again | None:
    """Whether to try again after `attempt` failed with `error`; `repeatable` is true for methods that change nothing."""
    if (
        attempt > policy.count
        or not policy.allows(error.http_status)
        or not _worth_it(policy, error, repeatable, headers)
    ):
        return None
    asked = asked_wait(headers, error.sentence) if isinstance(error, errors.Refused) else None
    if asked is not None:
        seconds, words = asked
        return Again(seconds, f"{error.code}, OpenAI asked to wait ({words})") if seconds <= LONGEST_WAIT else None
    return Again(pause(policy, attempt), error.code)


def pause(policy: RetryPolicy, attempt: int) -> float:
    """The wait before try number `attempt` + 1 when the answer names none; jitter takes off up to a quarter."""
    if policy.delay is not None and not policy.backoff:
        return policy.delay
    base = policy.delay or 0.5
    return float(min(base * 2 ** (attempt - 1), policy.cap)) * random.uniform(0.75, 1)  # noqa: S311 - jitter, not a secret


NEVER = (errors.NoCredit, errors.BadRequest, errors.BadKey, errors.MissingScope, errors.NotFound, errors.ModelNotFound)
ALWAYS = (errors.RateLimited, errors.TimedOut, errors.ConnectionRefused, errors.ConnectTimedOut)


def _worth_it(policy: RetryPolicy, error: errors.CallError, repeatable: bool, headers: Mapping[str, str]) -> bool:
    if isinstance(
        error, (*NEVER, errors.Rejected, errors.AddressRefused, errors.WrongOrganization, errors.WrongProject)
    ):
        return False
    if isinstance(error, errors.OutcomeUnknown):
        return policy.repeat_unknown
    asked = headers.get("x-should-retry")
    if asked in ("true", "false"):
        return asked == "true"
    if isinstance(error, errors.ServerFailed):
        return policy.on_all_errors or "slow down" not in error.sentence.lower()
    if isinstance(error, errors.NotOpenAI):
        # A gateway's error page in place of an answer: the request may have been carried out behind it.
        return (error.http_status or 0) >= 500 and (repeatable or policy.repeat_unknown or policy.on_all_errors)
    return isinstance(error, ALWAYS) or policy.on_all_errors
