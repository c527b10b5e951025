"""What the page of one call shows beside its row: attempts, bodies, usage, and what shares its correlation id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string

from logs.models import Attempt, Body, Call

REQUEST: Final = 0  # the number under which the body of the request is kept
SHOWN_RELATED: Final = 20


@dataclass(frozen=True)
class Part:
    """One body as a card. `tab` is `body` or `headers`."""

    body: Body | None
    tab: str

    @property
    def headers(self) -> str:
        pairs = self.body.headers.items() if self.body else ()
        return "\n".join(f"{name}: {value}" for name, value in pairs)


@dataclass(frozen=True)
class Detail:
    """`chosen` is the number of the attempt whose answer is shown, by default the last one."""

    call: Call
    attempts: Sequence[Attempt]
    bodies: Mapping[int, Body]
    chosen: int

    @cached_property
    def related(self) -> list[Call]:
        """The other calls of the same story, oldest first; one more than is shown, if there is one."""
        same = Call.objects.filter(correlation_id=self.call.correlation_id).exclude(pk=self.call.pk)
        return list(same.order_by("created_at", "id")[: SHOWN_RELATED + 1])

    @property
    def quota(self) -> str:
        """What OpenAI said is left, by the newest answer that said it."""
        for attempt in reversed(self.attempts):
            said = attempt.rate_limits
            left, limit = said.get("x-ratelimit-remaining-requests"), said.get("x-ratelimit-limit-requests")
            if left is not None:
                return f"{left} of {limit} requests" if limit else f"{left} requests"
        return ""


def detail_of(call: Call, wanted_attempt: str = "") -> Detail:
    """Reads what belongs to the call: two queries."""
    attempts = list(Attempt.objects.filter(call_id=call.pk).order_by("number"))
    bodies = {body.attempt: body for body in Body.objects.filter(call_id=call.pk)}
    numbers = [attempt.number for attempt in attempts]
    wanted = int(wanted_attempt) if wanted_attempt.isdecimal() and len(wanted_attempt) < 6 else 0
    return Detail(call, attempts, bodies, wanted if wanted in numbers else max(numbers, default=1))


def waits_for(call: Call) -> str:
    """What a call in line waits for at this moment, as the room that sets its limits says; empty for every other call."""
    return str(import_string(settings.WAITS_FOR)(call)) if call.state in ("queued", "retrying") else ""


def usage_of(call: Call) -> list[tuple[str, int]]:
    """Tokens by kind. Cached ones are part of the input, reasoning ones part of the output; both are split off here."""
    cached, reasoning = call.cached_tokens or 0, call.reasoning_tokens or 0
    rows = [
        ("Input", call.input_tokens, cached),
        ("Input, cached", call.cached_tokens, 0),
        ("Output", call.output_tokens, reasoning),
        ("Output, reasoning", call.reasoning_tokens, 0),
    ]
    return [(label, max(number - part, 0)) for label, number, part in rows if number is not None]
