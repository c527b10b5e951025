"""What a caller of the proxy may choose by header, per request.

x-patchbay-retries: 3              tries after the first; the SDK's own retries come on top, so the default is 0. How long
                                   they wait is the installation's policy
x-patchbay-retry-on: 429, 5xx      which statuses are tried again; `all` is every error that can succeed at all
x-patchbay-timeout: 30             seconds for each attempt, up to its headers
x-patchbay-correlation-id: order-7 joins calls of one story in the log
x-patchbay-tags: nightly, shop-2   words to find the call by
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from openai_api.retries import RetryPolicy

PREFIX = "x-patchbay-"
MOST_RETRIES, LONGEST_TIMEOUT = 10, 3600.0
STATUS = re.compile(r"[1-5](?:\d\d|xx)", re.ASCII)
NUMBER = re.compile(r"\d{1,3}", re.ASCII)
WORD = re.compile(r"[\w.:@/+=-]{1,40}", re.ASCII)
KNOWN = {PREFIX + name for name in ("retries", "retry-on", "timeout", "correlation-id", "tags")}


class BadOption(Exception):
    """A header that can't be read. The message says what it may be."""


@dataclass(frozen=True)
class Options:
    """What was chosen. Without a `correlation_id` each call begins a story of its own."""

    policy: RetryPolicy = RetryPolicy(count=0)
    timeout: float = 600.0
    correlation_id: str = ""
    tags: str = ""


def read(headers: Mapping[str, str], own: RetryPolicy) -> Options:
    """The options of a request whose `headers` have lower-case names. `own` is the installation's policy. Raises BadOption."""
    given = {name: value.strip() for name, value in headers.items() if name.startswith(PREFIX)}
    if not given:
        return Options()
    if unknown := given.keys() - KNOWN:
        raise BadOption(f"The header {sorted(unknown)[0]} is unknown. Known are {', '.join(sorted(KNOWN))}.")
    return Options(
        policy=_policy(given, own),
        timeout=_timeout(given),
        correlation_id=_correlation(given),
        tags=_tags(given.get("x-patchbay-tags", "")),
    )


def _policy(given: Mapping[str, str], own: RetryPolicy) -> RetryPolicy:
    """How often and after what, by the headers; how long to wait, as the installation does."""
    text = given.get("x-patchbay-retries", "0")
    if not NUMBER.fullmatch(text) or int(text) > MOST_RETRIES:
        raise BadOption(f"x-patchbay-retries is a whole number from 0 to {MOST_RETRIES}.")
    on = [part.strip().lower() for part in given.get("x-patchbay-retry-on", "").split(",") if part.strip()]
    if any(part != "all" and not STATUS.fullmatch(part) for part in on):
        raise BadOption("x-patchbay-retry-on is a list of statuses such as 429, 5xx, or the word all.")
    statuses = tuple(part for part in on if part != "all")
    return replace(own, count=int(text), on_all_errors="all" in on, only=statuses)


def _timeout(given: Mapping[str, str]) -> float:
    text = given.get("x-patchbay-timeout", "600")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise BadOption(f"x-patchbay-timeout is a number of seconds, more than 0 and at most {LONGEST_TIMEOUT:.0f}.")
    return seconds


def _correlation(given: Mapping[str, str]) -> str:
    text = given.get("x-patchbay-correlation-id", "")
    if text and not WORD.fullmatch(text):
        raise BadOption("x-patchbay-correlation-id is up to 40 letters, digits and . : @ / + = - _.")
    return text


def _tags(text: str) -> str:
    words = [part.strip() for part in text.split(",") if part.strip()]
    if len(words) > 5 or any(not WORD.fullmatch(word) for word in words):
        raise BadOption("x-patchbay-tags is up to five words of up to 40 letters, digits and . : @ / + = - _.")
    return ", ".join(words)
