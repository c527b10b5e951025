"""Where a call stands in line at this moment, for people to see: read only, and written nowhere."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Q

from openai_api.gate.state import clock
from openai_api.models import Permit


@dataclass(frozen=True)
class Place:
    """`before` calls stand before it. What its `model` and the `tokens` it is expected to use may keep back it alone."""

    before: int
    model: str
    tokens: int


def place_of(call_id: uuid.UUID) -> Place | None:
    """None for a call that has been let in, or that rests before a retry: it stands in no line then."""
    now = clock()
    line = Permit.objects.filter(state="waiting", lease_until__gt=now, not_before__lte=now)
    mine = line.filter(call_id=call_id).first()
    if mine is None:
        return None
    earlier = Q(rank__lt=mine.rank) | Q(rank=mine.rank, id__lt=mine.pk)
    return Place(line.filter(earlier, key=mine.key).count(), mine.hold_key.partition("/")[2], mine.tokens)
