"""Rate limits: a real sliding window for each project, and OpenAI's headers about it."""

import math
import time
from collections import deque
from collections.abc import Callable

from sandbox.errors import ApiError
from sandbox.settings import Settings

Clock = Callable[[], float]


def go_duration(seconds: float) -> str:
    """Seconds as OpenAI writes durations in headers (Go's format): ``12ms``, ``1.98s``, ``6m0s``, ``1h2m3s``."""
    milliseconds = max(0, round(seconds * 1000))
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:g}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


class Window:
    """What one project used in the last `window_seconds`. A refused request takes no place."""

    def __init__(self, settings: Settings, clock: Clock = time.monotonic) -> None:
        self.settings = settings
        self.clock = clock
        self.taken: deque[tuple[float, int]] = deque()
        self.tokens = 0

    def admit(self, tokens: int, model: str | None) -> None:
        """Take a place for a request of `tokens`. Raises the 429 that OpenAI would send where there is none."""
        self.expire()
        if len(self.taken) + 1 > self.settings.rpm:
            raise self.refusal("requests", len(self.taken), 1, self.wait_for_request(), model)
        if self.tokens + tokens > self.settings.tpm:
            raise self.refusal("tokens", self.tokens, tokens, self.wait_for_tokens(tokens), model)
        self.taken.append((self.clock(), tokens))
        self.tokens += tokens

    def expire(self) -> None:
        gone = self.clock() - self.settings.window_seconds
        while self.taken and self.taken[0][0] <= gone:
            self.tokens -= self.taken.popleft()[1]

    def wait_for_request(self) -> float:
        index = len(self.taken) - self.settings.rpm
        return self.until_gone(self.taken[max(0, index)][0])

    def wait_for_tokens(self, tokens: int) -> float:
        """Time until enough tokens are free; the whole window for a request that never fits."""
        excess = self.tokens + tokens - self.settings.tpm
        for moment, used in self.taken:
            excess -= used
            if excess <= 0:
                return self.until_gone(moment)
        return self.settings.window_seconds

    def until_gone(self, moment: float) -> float:
        return max(0.0, moment + self.settings.window_seconds - self.clock())

    def refusal(self, dimension: str, used: int, requested: int, wait: float, model: str | None) -> ApiError:
        limit = self.settings.rpm if dimension == "requests" else self.settings.tpm
        return rate_limited(dimension, limit, used, requested, wait, model)

    def headers(self) -> dict[str, str]:
        """The six ``x-ratelimit-*`` headers. A reset is the time until the window is as empty as at first."""
        self.expire()
        reset = go_duration(self.until_gone(self.taken[-1][0]) if self.taken else 0)
        return {
            "x-ratelimit-limit-requests": str(self.settings.rpm),
            "x-ratelimit-limit-tokens": str(self.settings.tpm),
            "x-ratelimit-remaining-requests": str(max(0, self.settings.rpm - len(self.taken))),
            "x-ratelimit-remaining-tokens": str(max(0, self.settings.tpm - self.tokens)),
            "x-ratelimit-reset-requests": reset,
            "x-ratelimit-reset-tokens": reset,
        }


def rate_limited(dimension: str, limit: int, used: int, requested: int, wait: float, model: str | None) -> ApiError:
    """429 ``rate_limit_exceeded``; `dimension` is ``requests`` or ``tokens`` and becomes the error's type."""
    per_minute = "requests per min (RPM)" if dimension == "requests" else "tokens per min (TPM)"
    return ApiError(
        429,
        f"Rate limit reached for {model or 'this model'} in organization org-sandbox on {per_minute}: "
        f"Limit {limit}, Used {used}, Requested {requested}. Please try again in {go_duration(wait)}.",
        type=dimension,
        code="rate_limit_exceeded",
        headers={"retry-after": str(max(1, math.ceil(wait))), "retry-after-ms": str(math.ceil(wait * 1000))},
    )
