"""What a request is expected to use, reserved until the true figures are known.

OpenAI charges a request against the tokens of a minute beforehand, as its text plus the most that it may answer (rate limit
guide); an answer then tells the true count.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from openai_api import pricing
from openai_api.reading import Reading
from openai_api.throttle import Throttle

BYTES_PER_TOKEN = 4
# Data in a request (an image as base64, a file) is not read as text: it counts as at most this much.
MOST_INPUT_BYTES = 512 * 1024
ANSWER_FIELDS = ("max_output_tokens", "max_completion_tokens", "max_tokens")


def expected(throttle: Throttle, model: str, size: int, body: Any) -> tuple[int, int]:
    """Tokens, and money in billionths of a dollar, of a request of `size` bytes. Nothing where no limit asks for it."""
    if not throttle.tokens and not throttle.budgets:
        return 0, 0
    incoming = min(size, MOST_INPUT_BYTES) // BYTES_PER_TOKEN
    outgoing = _answer(body) if isinstance(body, dict) else 0
    return incoming + outgoing, pricing.expected(model, incoming, outgoing) if throttle.budgets else 0


@dataclass(frozen=True)
class Estimate:
    """What a request is likely to use: tokens in, the most that it lets the answer have (0: no bound is set), and dollars
    for both; None where no price is known.
    """

    incoming: int
    outgoing: int
    cost: Decimal | None


def of(model: str, body: dict[str, Any]) -> Estimate:
    """What a request that was not sent would use, for a page."""
    size = len(json.dumps(body, ensure_ascii=False, default=str).encode("utf-8", "replace"))
    incoming, outgoing = min(size, MOST_INPUT_BYTES) // BYTES_PER_TOKEN, _answer(body)
    usage = {"input_tokens": incoming, "output_tokens": outgoing}
    cost, _ = pricing.cost(Reading(model=model, usage=usage), model, timezone.now())
    return Estimate(incoming, outgoing, cost)


def _answer(body: dict[str, Any]) -> int:
    found = (body.get(name) for name in ANSWER_FIELDS)
    return next((value for value in found if isinstance(value, int) and not isinstance(value, bool) and value > 0), 0)
