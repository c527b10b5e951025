"""Everything that can go wrong with a call, as a tree. Each error says what happened, why, and what to do.

CallError
├── LogUnavailable      its row could not be written; nothing was sent
├── Rejected            the gate let the call not pass: limit, time to come back; nothing was sent
│   └── QuotaUsedUp, BudgetSpent, ConnectionStopped
├── NotSent             nothing reached OpenAI
│   ├── AddressRefused    the address is not one that Patchbay may dial
│   ├── NoSuchHost
│   ├── ConnectionRefused
│   ├── TlsFailed
│   ├── ConnectTimedOut
│   └── BodyCutOff        half a body reached OpenAI, which can't act on it
├── OutcomeUnknown      it was sent and not answered: perhaps done, perhaps paid
├── TimedOut            the same for a request that changes nothing, so that it may simply be repeated
├── NotOpenAI           something answered, but not as OpenAI does
├── Refused             OpenAI answered with an error
│   ├── BadKey, MissingScope, WrongOrganization, WrongProject
│   ├── RateLimited, NoCredit
│   ├── BadRequest, NotFound, ModelNotFound
│   └── ServerFailed
└── FailedInside        HTTP 200 whose body says that it failed
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from logs import redaction
from ui import help


class CallError(Exception):
    """Base of all. `sentence` is safe to show; `sent` says whether OpenAI may have seen the request.

    `hard` failures lie in the connection itself: the next call of any kind cannot fare better.
    """

    help_code: ClassVar[str] = ""
    slug: ClassVar[str] = "call_failed"
    sent: ClassVar[bool] = True
    hard: ClassVar[bool] = False

    def __init__(
        self,
        sentence: str,
        *,
        code: str = "",
        http_status: int | None = None,
        retry_after: float | None = None,
        call_id: uuid.UUID | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code or self.slug
        self.http_status = http_status
        self.retry_after = retry_after
        self.call_id = call_id


class LogUnavailable(CallError):
    help_code, slug, sent = help.LOG_UNAVAILABLE, "log_unavailable", False

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The call was not sent, because {why}: no call leaves without its row in the log. "
            "Try again in a moment; if it stays so, look at the database.",
            retry_after=1.0,
        )


class Rejected(CallError):
    """`kind` names the limit as the log does (`window`, `connections`, …), `limit` says it in words."""

    help_code, slug, sent = help.THROTTLE_REJECTED, "throttle_rejected", False
    advice: ClassVar[str] = "Come back in {wait}, or raise the limit."

    def __init__(self, limit: str, retry_after: float, waited: float, kind: str = "window") -> None:
        held = f"after {waited:.0f} s in line" if waited >= 1 else "at once"
        super().__init__(
            f"Rejected by the throttle {held}: {limit}. {self.advice.format(wait=_span(retry_after))}",
            retry_after=retry_after,
        )
        self.limit = limit
        self.kind = kind


class QuotaUsedUp(Rejected):
    help_code, slug = help.QUOTA_USED_UP, "quota_used_up"
    advice = "Come back in {wait}; a higher limit has to come from OpenAI."


class BudgetSpent(Rejected):
    help_code, slug = help.BUDGET_SPENT, "budget_spent"
    advice = "It begins anew in {wait}; until then, raise the budget if the work is worth it."


class ConnectionStopped(Rejected):
    help_code, slug = help.CONNECTION_STOPPED, "connection_stopped"
    advice = "Mend the cause and test the connection; it is tried again by itself in {wait}."


KEPT_BACK: dict[str, type[Rejected]] = {"quota": QuotaUsedUp, "budget": BudgetSpent, "circuit": ConnectionStopped}


def kept_back(kind: str, words: str, free_in: float, waited: float) -> Rejected:
    """The error of whom the gate did not let pass: `kind` and `words` of the limit, seconds until it may change."""
    return KEPT_BACK.get(kind, Rejected)(words.rstrip("."), free_in, waited, kind)


def _span(seconds: float, now: datetime | None = None) -> str:
    """A wait as people say it, and for a long one its end: 0.4 s, 12.0 s, 25 min (14:05 UTC)."""
    if seconds < 120:
        return f"{max(seconds, 0.1):.1f} s"
    now = now or datetime.now(UTC)
    # A minute that has begun is over before it is safe to come back.
    until = now + timedelta(seconds=seconds + 59)
    day = "" if until.date() == now.date() else f"{until.day} {until:%B}, "
    span = f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
    return f"{span} ({day}{until:%H:%M} UTC)"


class NotSent(CallError):
    sent = False


class AddressRefused(NotSent):
    hard = True
    help_code, slug = help.ADDRESS_PRIVATE, "address_refused"


class NoSuchHost(NotSent):
    hard = True
    help_code, slug = help.HOST_UNKNOWN, "no_such_host"


class ConnectionRefused(NotSent):
    hard = True
    help_code, slug = help.CONNECTION_REFUSED, "connection_refused"


class TlsFailed(NotSent):
    hard = True
    help_code, slug = help.TLS_FAILED, "tls_failed"


class ConnectTimedOut(NotSent):
    hard = True
    help_code, slug = help.TIMED_OUT, "connect_timeout"


class BodyCutOff(NotSent):
    help_code, slug = help.BODY_CUT_OFF, "body_cut_off"


class OutcomeUnknown(CallError):
    help_code, slug = help.OUTCOME_UNKNOWN, "outcome_unknown"


class TimedOut(CallError):
    help_code, slug = help.TIMED_OUT, "timeout"


class NotOpenAI(CallError):
    help_code, slug = help.ANSWER_FOREIGN, "not_openai"


class AnswerTooLarge(NotOpenAI):
    slug = "answer_too_large"

    def __init__(self, most: int, status: int) -> None:
        super().__init__(
            f"The answer is larger than the {most // 1024:,} KB that are read at once. It was not read to its end.",
            http_status=status,
        )


class Redirected(NotOpenAI):
    help_code, slug = help.REDIRECT_REFUSED, "redirect_refused"


class Refused(CallError):
    slug = "refused"


class BadKey(Refused):
    hard = True
    help_code, slug = help.KEY_REFUSED, "invalid_api_key"


class MissingScope(Refused):
    help_code, slug = help.SCOPE_MISSING, "missing_scope"

    def __init__(self, sentence: str, *, permission: str, **rest: Any) -> None:
        super().__init__(sentence, **rest)
        self.permission = permission


class WrongOrganization(Refused):
    hard = True
    help_code, slug = help.ORGANIZATION_WRONG, "mismatched_organization"


class WrongProject(Refused):
    hard = True
    help_code, slug = help.PROJECT_WRONG, "mismatched_project"


class RateLimited(Refused):
    help_code, slug = help.RATE_LIMITED, "rate_limit_exceeded"


class NoCredit(Refused):
    hard = True
    help_code, slug = help.CREDIT_MISSING, "insufficient_quota"


class BadRequest(Refused):
    help_code, slug = help.REQUEST_WRONG, "bad_request"


class NotFound(Refused):
    help_code, slug = help.OBJECT_MISSING, "not_found"


class ModelNotFound(Refused):
    help_code, slug = help.MODEL_SHUT_DOWN, "model_not_found"


class ServerFailed(Refused):
    help_code, slug = help.OPENAI_FAILED, "server_error"


class FailedInside(CallError):
    help_code, slug = help.ANSWER_FAILED, "failed_inside"


@dataclass(frozen=True)
class ErrorBody:
    """OpenAI's `{"error": {"message", "type", "param", "code"}}`; `code` may be null or a number."""

    message: str
    type: str
    param: str
    code: str

    @classmethod
    def of(cls, body: Any) -> ErrorBody | None:
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return None
        # A far side may repeat the key it was given; the message goes onto pages and into the log.
        return cls(*(redaction.clean(str(error.get(name) or "")) for name in ("message", "type", "param", "code")))


NO_CREDIT = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_not_active",
    }
)
SCOPE = re.compile(r"[Mm]issing scopes?:\s*([\w.]+)")


def refused(status: int, error: ErrorBody) -> Refused:
    """The error that OpenAI's answer means. Source: `openai/errors.json`: match code, then type, then message."""
    said = f"OpenAI answered {status}: {error.message.rstrip('.') or error.code or 'no message'}."
    rest: dict[str, Any] = {"http_status": status, "code": error.code}
    if status in (401, 403):
        return _not_allowed(said, error, rest)
    if status == 429:
        if error.type == "insufficient_quota" or NO_CREDIT & {error.code, error.type}:
            return NoCredit(
                f"{said} The account has no credit or reached a spend limit. Raise it at OpenAI; waiting does not help.",
                **rest,
            )
        if "request too large" in error.message.lower():
            return BadRequest(f"{said} Send less at once; the same request never fits into this limit.", **rest)
        return RateLimited(
            f"{said} OpenAI's own rate limit was reached. Lower this installation's throttle or wait.", **rest
        )
    if status == 404:
        if error.code == "model_not_found" or "does not exist or you do not have access" in error.message:
            return ModelNotFound(f"{said} Choose a model from the list of this connection.", **rest)
        return NotFound(f"{said} Check the id and that the same project made it.", **rest)
    if status >= 500 or status in (408, 409):
        return ServerFailed(f"{said} The fault is at OpenAI. Try again in a while.", **rest)
    field = f" The field is {error.param}." if error.param else ""
    return BadRequest(f"{said}{field} Correct the request; sending it again as it is cannot succeed.", **rest)


def _not_allowed(said: str, error: ErrorBody, rest: dict[str, Any]) -> Refused:
    scope = SCOPE.search(error.message)
    if scope or error.code == "missing_scope":
        permission = scope.group(1).rstrip(".") if scope else "a permission"
        return MissingScope(
            f"{said} Give the key the permission {permission} at OpenAI, or use another key.",
            permission=permission,
            **rest,
        )
    low = f"{error.code} {error.message}".lower()
    if "model_not_found" in low or "does not have access to model" in low:
        return ModelNotFound(f"{said} Allow the model for the project at OpenAI, or choose another.", **rest)
    if "organization" in low and "ip_not_authorized" not in low:
        return WrongOrganization(f"{said} Correct or clear the organization id of the connection.", **rest)
    if "project" in low:
        return WrongProject(f"{said} Correct or clear the project id of the connection.", **rest)
    if "unsupported_country" in low or "ip_not_authorized" in low:
        return BadKey(f"{said} OpenAI does not accept calls from this server's address.", **rest)
    return BadKey(f"{said} Check the API key for a typing error, or make a new one and replace it.", **rest)
