"""Failure by order: which request fails next, and how."""

import asyncio
import fnmatch
import math
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from aiohttp import web

from sandbox.errors import Json
from sandbox.limits import go_duration, rate_limited
from sandbox.refusals import REFUSALS, missing_scope

MOST_FAULTS = 1000
HANG_SECONDS = 86_400.0
CUT_SHORT = '{"id": "resp_'
PAGE = "<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"

BEHAVIOURS = {
    "rate_limit_exceeded": "429 with retry-after; `type` is requests (default) or tokens",
    "missing_scope": "401 (or `status` 403) for a restricted key that lacks `scope`",
    "slow": "answers after `seconds`",
    "hang": "never answers",
    "close": "closes the connection once the request was read",
    "malformed": "200 with JSON that ends too soon",
    "html": "200 with an HTML page",
    "502_html": "502 with an HTML page",
    "failed": "200, the response (or batch) ends with status failed",
    "incomplete": "200, the response ends with status incomplete",
    "broken_stream": "the stream is cut after `events` events",
    "stream_error": "an error event within the stream after `events` events",
    "lost_event": "200, the webhook that follows the end of the background response is never sent",
    "repeated_event": "200, the webhook that follows the end of the background response is sent twice",
}
STREAM_KINDS = ("broken_stream", "stream_error")
EVENT_COPIES = {"lost_event": 0, "repeated_event": 2}
ENDED_PATHS = {
    "failed": ("/v1/responses", "/v1/batches"),
    "incomplete": ("/v1/responses",),
    **dict.fromkeys(EVENT_COPIES, ("/v1/responses",)),
}


@dataclass
class Fault:
    """One order. Without `path`, `method` and `model` it fits every request under ``/v1``.

    The stream kinds fit only requests for a stream, `failed` and `incomplete` only the creation of a response (a failed
    one also of a batch), the event kinds only that of a background response.
    """

    kind: str
    times: int | None = 1
    """How many requests it takes; null for all until it is cleared."""
    after: int = 0
    """How many fitting requests pass unharmed first."""
    path: str | None = None
    """With or without ``/v1``; ``*`` stands for anything: ``/responses``, ``/v1/responses/*``."""
    method: str | None = None
    model: str | None = None
    seconds: float = 30.0
    events: int = 4
    type: Literal["requests", "tokens"] = "requests"
    scope: str = "api.responses.write"
    status: int = 401
    message: str | None = None
    retry_after: float | None = None
    """Seconds of ``retry-after``."""
    retry_after_ms: int | None = None
    headers: bool = True
    """False: the answer has no ``retry-after`` and no ``x-ratelimit-*`` at all."""

    def fits(self, method: str, path: str, body: Json) -> bool:
        if self.kind in STREAM_KINDS and not body.get("stream"):
            return False
        if self.kind in EVENT_COPIES and not body.get("background"):
            return False
        if self.kind in ENDED_PATHS and (method != "POST" or path not in ENDED_PATHS[self.kind]):
            return False
        if self.method and self.method.upper() != method:
            return False
        if self.model and self.model != body.get("model"):
            return False
        return self.path is None or fnmatch.fnmatchcase(path.removeprefix("/v1"), self.path.removeprefix("/v1"))

    def retry_headers(self) -> dict[str, str]:
        """What the order says about trying again; nothing where it says nothing."""
        found = {}
        if self.headers and self.retry_after is not None:
            found["retry-after"] = f"{self.retry_after:g}"
        if self.headers and self.retry_after_ms is not None:
            found["retry-after-ms"] = str(self.retry_after_ms)
        return found

    def wait_seconds(self) -> float:
        if self.retry_after_ms is not None:
            return self.retry_after_ms / 1000
        return 1.0 if self.retry_after is None else self.retry_after


class Faults:
    """The orders, oldest first. A request takes the first one that fits it."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        if len(self.waiting) >= MOST_FAULTS:
            raise ValueError(f"{MOST_FAULTS} faults are waiting. Clear them with DELETE /_sandbox/faults.")
        self.waiting.append(fault)

    def take(self, method: str, path: str, body: Json) -> Fault | None:
        for fault in self.waiting:
            if fault.fits(method, path, body):
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.waiting.remove(fault)
                return fault
        return None


def kinds() -> dict[str, str]:
    """Every kind that may be ordered, with what it does."""
    return {kind: f"{row.status} {row.code or row.type or row.message}" for kind, row in REFUSALS.items()} | BEHAVIOURS


def parse(order: Any) -> Fault:
    """A fault from its JSON. Raises ValueError with a sentence that says what is wrong."""
    if not isinstance(order, dict) or not isinstance(order.get("kind"), str):
        raise ValueError('A fault is an object such as {"kind": "500", "times": 1}.')
    if order["kind"] not in kinds():
        raise ValueError(f"There is no fault {order['kind']!r}. Kinds: {', '.join(kinds())}.")
    for name, value in order.items():
        _check(name, value)
    return Fault(**order)


def _check(name: str, value: Any) -> None:
    field = {field.name: field for field in fields(Fault)}.get(name)
    if field is None:
        raise ValueError(f"A fault has no field {name!r}. Fields: {', '.join(f.name for f in fields(Fault))}.")
    expected: Any = field.type
    if get_args(expected) and value in get_args(expected):
        return
    accepted = [kind for kind in get_args(expected) or (expected,) if isinstance(kind, type)]
    if float in accepted:
        accepted.append(int)
    if not isinstance(value, tuple(accepted)) or (isinstance(value, bool) and bool not in accepted):
        raise ValueError(f"The fault's {name} cannot be {value!r}.")
    if name == "times" and value == 0:
        raise ValueError("The fault's times must be 1 or more, or null for every request.")
    if isinstance(value, int | float) and not 0 <= value <= HANG_SECONDS:
        raise ValueError(f"The fault's {name} must be from 0 to {HANG_SECONDS:g}, not {value}.")


async def strike(fault: Fault, request: web.Request, model: str | None) -> web.StreamResponse | None:
    """Let `fault` happen as far as it can before an answer is made; None where the answer itself is to carry it.

    Raises ApiError for those that are refusals.
    """
    if fault.kind in REFUSALS:
        raise REFUSALS[fault.kind].error(fault.message, fault.retry_headers())
    if fault.kind == "missing_scope":
        raise missing_scope(fault.scope, fault.status)
    if fault.kind == "rate_limit_exceeded":
        raise _rate_limit(fault, model)
    if fault.kind in ("slow", "hang"):
        await asyncio.sleep(fault.seconds if fault.kind == "slow" else HANG_SECONDS)
    if fault.kind == "close" and request.transport is not None:
        request.transport.close()
        return web.Response()
    return _other_page(fault.kind)


def _other_page(kind: str) -> web.Response | None:
    if kind == "malformed":
        return web.Response(text=CUT_SHORT, content_type="application/json")
    if kind == "html":
        return web.Response(text=PAGE.format(title="Welcome"), content_type="text/html")
    if kind == "502_html":
        return web.Response(text=PAGE.format(title="502 Bad Gateway"), content_type="text/html", status=502)
    return None


def _rate_limit(fault: Fault, model: str | None) -> Exception:
    wait = fault.wait_seconds()
    error = rate_limited(fault.type, 500, 500, 1, wait, model)
    if not fault.headers:
        error.headers = {}
        return error
    error.headers = fault.retry_headers() or {"retry-after": str(max(1, math.ceil(wait)))}
    error.headers[f"x-ratelimit-remaining-{fault.type}"] = "0"
    error.headers[f"x-ratelimit-reset-{fault.type}"] = go_duration(wait)
    return error
