"""What differs between two requests, field by field, for people to read side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openai_api.retries import RetryPolicy
from operations.asking import Asked
from operations.places import unquoted
from versions.differences import Difference, compared, leaves, numbered


def differences(before: Asked, after: Asked) -> list[Difference]:
    return compared(fields_of(before), fields_of(after))


def fields_of(asked: Asked) -> Iterator[tuple[str, str]]:
    """(name, text) of everything that a request says, in the order of a form; files by name."""
    yield "Method", asked.method
    yield "Path", unquoted(asked.path)
    for kind, pairs in (("Query", asked.query), ("Header", asked.headers), ("Form", asked.form)):
        yield from numbered([(f"{kind} › {name}", value) for name, value in pairs])
    if asked.body is not None:
        yield from leaves("Body", asked.body)
    yield from numbered([(f"File › {part.field}", part.name) for part in asked.files])
    yield "Response type", asked.response_type
    yield "Timeout", f"{asked.timeout:g} s"
    if asked.retries is not None:
        yield from leaves("Retries", _in_words(asked.retries))


def _in_words(policy: RetryPolicy) -> dict[str, Any]:
    return {
        "most": policy.count,
        "delay in seconds": policy.delay,
        "growing delay": policy.backoff,
        "on all errors": policy.on_all_errors,
    }
