"""What an answer means, and what the log says of it. Pure but for the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from logs import redaction
from logs.recorder import Ended
from openai_api import errors, pricing, reading, transport

RATE_LIMIT_HEADERS = ("x-ratelimit-", "retry-after", "x-should-retry")
LEFT = "client_left"


def failure_of(response: transport.Response, content: bytes, body: Any) -> errors.CallError | None:
    """What an answer that came whole means: an error of OpenAI's, a foreign answer, a failure inside 200, or none.

    `body` is what its content is as JSON, or None.
    """
    status = response.status
    kind = response.headers.get("content-type", "")
    if 300 <= status < 400:
        return errors.Redirected(
            f"The address answered with a redirect ({status}), which is not followed, so that the key goes nowhere else. "
            "Enter the final address as base URL.",
            http_status=status,
        )
    if status >= 400:
        error = errors.ErrorBody.of(body)
        return errors.refused(status, error) if error else _foreign(status, kind)
    if "json" in kind and body is None and content:
        return _foreign(status, "text that is not the JSON it claims to be")
    if "html" in kind:
        return _foreign(status, kind)
    return reading.failure_inside(body) if isinstance(body, dict) else None


def _foreign(status: int, kind: str) -> errors.NotOpenAI:
    return errors.NotOpenAI(
        f"The server answered {status} with {kind or 'no content type'}, which is not how OpenAI answers. "
        "Check the base URL; a proxy or another program may stand there.",
        http_status=status,
    )


def ended(
    request: transport.Request,
    model: str,
    response: transport.Response | None,
    found: reading.Reading,
    failure: errors.CallError | None,
    answer: redaction.Redacted | None = None,
) -> Ended:
    """The end of an attempt for the log. `model` is the one that was asked for; the call's row names it already."""
    paid = request.method == "POST"
    price, basis = pricing.cost(found, model, datetime.now(UTC)) if paid else (None, "")
    headers = response.headers if response else {}
    return Ended(
        state=_state(failure),
        http_status=response.status if response else None,
        request_id=headers.get("x-request-id", "")[:120],
        error_code=failure.code[:80] if failure else "",
        error_message=failure.sentence if failure else "",
        help_code=failure.help_code if failure else "",
        headers_at=response.at if response else None,
        rate_limits={name: value for name, value in headers.items() if name.startswith(RATE_LIMIT_HEADERS)},
        answer=answer,
        object_id=found.object_id,
        model="" if model else found.model,
        tokens=found.tokens if paid else {},
        cost=price,
        price_basis=basis,
        hard=failure is not None and failure.hard,
    )


def answer(kept: bytes, size: int, headers: Mapping[str, str]) -> redaction.Redacted:
    """An answer of `size` bytes, of which `kept` is the beginning, as the log keeps it."""
    shown = redaction.body(kept, headers.get("content-type", ""), headers)
    return shown if size == len(kept) else replace(shown, size=size, truncated=True)


def _state(failure: errors.CallError | None) -> str:
    if failure is None:
        return "done"
    return "unknown" if isinstance(failure, errors.OutcomeUnknown) else "failed"


def left_in_line() -> Ended:
    """The caller went away before anything was sent."""
    return Ended(
        "cancelled", error_code=LEFT, error_message="The caller left while this waited in line. Nothing was sent."
    )


def left_unanswered(repeatable: bool) -> Ended:
    """The caller went away while the request was on the wire; one that changes something may have been carried out."""
    if repeatable:
        return Ended("cancelled", error_code=LEFT, error_message="The caller left before the answer came.")
    return Ended(
        "unknown",
        error_code=LEFT,
        error_message="The caller left before the answer came. OpenAI may have carried it out and charged for it.",
        help_code=errors.OutcomeUnknown.help_code,
    )


def left_uploading() -> Ended:
    """The caller went away in the middle of its own body, which OpenAI can't act on."""
    return Ended("cancelled", error_code=LEFT, error_message="The caller left before its whole body was sent.")


def left_midway(end: Ended) -> Ended:
    """The caller went away while the answer was coming; what had come is kept."""
    return replace(
        end, state="cancelled", error_code=LEFT, error_message="The reader left before the end of the answer."
    )


def cut_short() -> errors.OutcomeUnknown:
    """The bytes of a stream ended without the event that ends an answer: what was paid for is not known."""
    return errors.OutcomeUnknown(
        "The stream ended before the answer did. What came is kept; OpenAI may have charged for all of it."
    )
