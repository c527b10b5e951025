"""A ticket is one attempt on its way through the gate."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field

from logs.ids import uuid7
from openai_api.gate.waiting import Reply
from openai_api.throttle import Throttle


@dataclass(eq=False, slots=True)
class Ticket:
    """One attempt of a call (or one batch execution, `call_id` None), from its place in line to its end.

    The first attempt's `id` is its call's. `connection` and `model` name the holds that may keep it back; a `probe` passes a
    broken connection's hold. `tokens` and `cost` (billionths of a dollar) are what it is expected to use. Times of `queued_at`
    are this process's monotonic clock.
    """

    throttle: Throttle
    call_id: uuid.UUID | None
    attempt: int = 1
    rank: int = 0
    delay: float = 0.0
    batch: bool = False
    connection: str = ""
    model: str = ""
    probe: bool = False
    tokens: int = 0
    cost: int = 0
    id: uuid.UUID = field(default_factory=uuid7)
    held: bool = False
    counted: bool = True
    cause: str = ""
    due: float = 0.0
    queue_ms: int = 0
    spent_ms: int = 0
    queued_at: float = field(default_factory=time.monotonic)
    admitted_at: float = 0.0
    admitted: Reply[Ticket] = field(default_factory=Reply)

    @property
    def key(self) -> str:
        return f"{self.throttle.key}/batches" if self.batch else self.throttle.key

    @property
    def hold_key(self) -> str:
        """What OpenAI's own quota belongs to."""
        return f"{self.connection}/{self.model}"[:200] if self.connection else ""

    @property
    def patience(self) -> float:
        return self.throttle.deadline if self.throttle.wait else 0.0

    def following(self, seconds: float) -> Ticket:
        """The ticket of the next attempt, `seconds` from now, in the place of this one."""
        return Ticket(
            self.throttle,
            self.call_id,
            self.attempt + 1,
            self.rank,
            seconds,
            connection=self.connection,
            model=self.model,
            probe=self.probe,
            tokens=self.tokens,
            cost=self.cost,
            queue_ms=self.queue_ms,
        )
