"""Our own refusals in OpenAI's error shape, with the headers that make SDKs behave well.

`x-should-retry` is what OpenAI's SDKs obey above all; `retry-after` is in seconds, `retry-after-ms` in milliseconds.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from openai_api import errors

# Longer waits are not worth an SDK's while: it gives up on its own beyond two minutes.
WORTH_WAITING = 120.0


@dataclass(frozen=True)
class Refusal:
    """An answer of the proxy's own. `retry_after` is in seconds, None where coming back does not help."""

    status: int
    message: str
    code: str
    kind: str = "invalid_request_error"
    retry_after: float | None = None
    call_id: str = ""

    @property
    def body(self) -> bytes:
        error = {"message": self.message, "type": self.kind, "param": None, "code": self.code}
        return json.dumps({"error": error}).encode()

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        again = self.retry_after is not None and self.retry_after <= WORTH_WAITING
        found = [(b"x-should-retry", b"true" if again else b"false")]
        if self.retry_after is not None:
            seconds = max(self.retry_after, 0.001)
            found += [
                (b"retry-after", str(math.ceil(seconds)).encode()),
                (b"retry-after-ms", str(math.ceil(seconds * 1000)).encode()),
            ]
        if self.call_id:
            found.append((b"x-patchbay-call-id", self.call_id.encode()))
        return found


NO_TOKEN = Refusal(
    401,
    "This is Patchbay's proxy, and the request has no valid Patchbay token for this installation. Send one as the API key.",
    "invalid_api_key",
)
NOT_FOUND = Refusal(404, "There is nothing here. The proxy's address is /proxy/<installation>/v1.", "not_found")
UNAVAILABLE = Refusal(
    503, "Patchbay can't check the token just now. Nothing was sent.", "unavailable", "server_error", retry_after=1.0
)


def of(error: errors.CallError) -> Refusal:
    """What the caller is told of a call that got no answer."""
    call_id = str(error.call_id or "")
    if isinstance(error, errors.Rejected):
        final = isinstance(error, (errors.BudgetSpent, errors.ConnectionStopped))
        kind = "insufficient_quota" if isinstance(error, errors.BudgetSpent) else "rate_limit_error"
        status = 503 if isinstance(error, errors.ConnectionStopped) else 429
        wait = None if final else error.retry_after
        return Refusal(status, error.sentence, error.code, kind, wait, call_id)
    if isinstance(error, errors.LogUnavailable):
        return Refusal(503, error.sentence, error.code, "server_error", error.retry_after, call_id)
    if isinstance(error, errors.OutcomeUnknown):
        return Refusal(504, error.sentence, error.code, "server_error", None, call_id)
    if isinstance(error, errors.TimedOut):
        return Refusal(504, error.sentence, error.code, "server_error", 1.0, call_id)
    again = None if error.hard or error.sent else 1.0
    return Refusal(502, error.sentence, error.code, "server_error", again, call_id)
