"""Every request seen, as the far side saw it: the witness for throttles, retries and logs. No key or body is kept."""

import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

ROWS = 100_000
LONGEST = 512


@dataclass(slots=True)
class Entry:
    """One request. Times are seconds since the epoch; `status` stays null where no answer was begun."""

    number: int
    arrived_at: float
    method: str
    path: str
    client_request_id: str | None
    concurrent: int
    """Requests in progress at its arrival, itself included."""
    ended_at: float | None = None
    status: int | None = None
    model: str | None = None
    request_id: str | None = None
    fault: str | None = None


class Journal:
    """The last `ROWS` requests; the oldest give way. `number` counts from 1 and never starts again before `clear`."""

    def __init__(self, rows: int = ROWS) -> None:
        self.entries: deque[Entry] = deque(maxlen=rows)
        self.total = 0
        self.concurrent = 0
        self.most_concurrent = 0

    def arrive(self, method: str, path: str, client_request_id: str | None) -> Entry:
        self.total += 1
        self.concurrent += 1
        self.most_concurrent = max(self.most_concurrent, self.concurrent)
        told = client_request_id and client_request_id[:LONGEST]
        entry = Entry(self.total, time.time(), method, path[:LONGEST], told, self.concurrent)
        self.entries.append(entry)
        return entry

    def leave(self, entry: Entry, status: int | None) -> None:
        self.concurrent -= 1
        entry.ended_at = time.time()
        entry.status = status

    def clear(self) -> None:
        self.entries.clear()
        self.total = 0
        self.most_concurrent = self.concurrent

    def as_json(self, after: int = 0, path: str | None = None) -> dict[str, Any]:
        """Rows with a number above `after`, and only those of `path` where one is given."""
        rows = [asdict(row) for row in self.entries if row.number > after and path in (None, row.path)]
        return {
            "total": self.total,
            "concurrent": self.concurrent,
            "most_concurrent": self.most_concurrent,
            "requests": rows,
        }
