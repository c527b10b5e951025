"""The limits that an installation sets, as the gate takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Throttle:
    """At most `limit` requests in any `seconds`, `connections` open at once and `batches` runs at once, all under one `key`.

    Who is over the limit waits in line up to `deadline` seconds, or, with `wait` false, is rejected at once.
    """

    key: str
    limit: int = 500
    seconds: float = 60.0
    connections: int = 5
    batches: int = 5
    wait: bool = True
    deadline: float = 120.0

    def with_deadline(self, seconds: float) -> Throttle:
        return replace(self, deadline=seconds)
