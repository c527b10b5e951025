"""Our own refusals: OpenAI's shape and headers, so that an SDK comes back when it helps, and only then."""

from __future__ import annotations

import json
import uuid

import pytest

from openai_api import errors
from proxy import refusals
from proxy.refusals import Refusal

ID = uuid.UUID(int=7)


def of(error: errors.CallError) -> tuple[Refusal, dict[str, str]]:
    error.call_id = ID
    refusal = refusals.of(error)
    return refusal, {name.decode(): value.decode() for name, value in refusal.headers}


@pytest.mark.parametrize(
    ("error", "status", "kind", "code", "again"),
    [
        (errors.Rejected("500 in 60 s", 3.2, 0), 429, "rate_limit_error", "throttle_rejected", True),
        (errors.Rejected("500 in 60 s", 3600, 0), 429, "rate_limit_error", "throttle_rejected", False),
        (errors.QuotaUsedUp("no requests left", 20, 0), 429, "rate_limit_error", "quota_used_up", True),
        (errors.BudgetSpent("$5 a day", 40, 0), 429, "insufficient_quota", "budget_spent", False),
        (errors.ConnectionStopped("three failures", 30, 0), 503, "rate_limit_error", "connection_stopped", False),
        (errors.LogUnavailable("the database is locked"), 503, "server_error", "log_unavailable", True),
        (errors.OutcomeUnknown("It broke."), 504, "server_error", "outcome_unknown", False),
        (errors.TimedOut("Too slow."), 504, "server_error", "timeout", True),
        (errors.NoSuchHost("No such host."), 502, "server_error", "no_such_host", False),
        (errors.ConnectionRefused("Refused."), 502, "server_error", "connection_refused", False),
        (errors.TlsFailed("No TLS."), 502, "server_error", "tls_failed", False),
        (errors.ConnectTimedOut("Slow."), 502, "server_error", "connect_timeout", False),
        (errors.AddressRefused("Private."), 502, "server_error", "address_refused", False),
        (errors.Redirected("Elsewhere."), 502, "server_error", "redirect_refused", False),
        (errors.NotOpenAI("A page."), 502, "server_error", "not_openai", False),
        (errors.AnswerTooLarge(1024, 200), 502, "server_error", "answer_too_large", False),
    ],
)
def test_each_failure_has_its_status_its_shape_and_says_whether_to_come_back(
    error: errors.CallError, status: int, kind: str, code: str, again: bool
) -> None:
    refusal, headers = of(error)
    body = {"error": {"message": error.sentence, "type": kind, "param": None, "code": code}}
    assert (refusal.status, json.loads(refusal.body)) == (status, body)
    assert headers["x-should-retry"] == ("true" if again else "false")
    assert headers["x-patchbay-call-id"] == str(ID)


def test_the_time_to_come_back_is_in_seconds_and_in_milliseconds_never_too_early() -> None:
    _, headers = of(errors.Rejected("500 in 60 s", 3.2001, 0))
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("4", "3201")
    _, headers = of(errors.Rejected("500 in 60 s", 0.0, 0))
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("1", "1")


def test_where_coming_back_cannot_help_no_time_is_named() -> None:
    _, headers = of(errors.BudgetSpent("$5 a day", 40, 0))
    assert not {"retry-after", "retry-after-ms"} & headers.keys()


def test_no_token_is_said_as_openai_says_a_wrong_key() -> None:
    assert (refusals.NO_TOKEN.status, json.loads(refusals.NO_TOKEN.body)["error"]["code"]) == (401, "invalid_api_key")
    assert (b"x-should-retry", b"false") in refusals.NO_TOKEN.headers
