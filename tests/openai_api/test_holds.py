"""What answers say about the calls to come: OpenAI's own quota, and a connection that fails hard."""

from __future__ import annotations

import httpx
import pytest

from connections.clients import client_for, client_for_connection
from logs.models import Call
from openai_api import errors
from openai_api.gate import holds
from openai_api.models import Hold, Permit, Tally
from openai_api.retries import RetryPolicy
from openai_api.throttle import NANO, Budget, Throttle
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)
ONCE = RetryPolicy(count=0)
GOOD = {"id": "resp_1", "object": "response", "status": "completed", "model": "gpt-6-luna", "output": []}


def refused(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"error": {"message": f"No: {code}", "type": "requests", "param": None, "code": code}}
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def ask(client, model: str = "gpt-6-luna", **body: object):
    return client.call("create_response", json={"model": model, **body}, context=builders.context(), retries=ONCE)


def test_three_refused_keys_stop_the_connection_and_a_test_that_passes_starts_it_again(far_side):
    answers = [refused(401, "invalid_api_key")] * 3 + [httpx.Response(200, json={"object": "list", "data": []})]
    answers.append(httpx.Response(200, json=GOOD))
    sent: list[str] = []
    far_side(lambda request: (sent.append(request.url.path), answers.pop(0))[1])
    installation = builders.installation()
    client = client_for(installation)
    for _ in range(3):
        with pytest.raises(errors.BadKey):
            ask(client)
    with pytest.raises(errors.ConnectionStopped) as caught:
        ask(client)
    assert "failed 3 times in a row" in caught.value.sentence and "invalid_api_key" in caught.value.sentence
    assert len(sent) == 3
    stopped = Call.objects.get(pk=caught.value.call_id)
    assert (stopped.state, stopped.error_code, stopped.help_code) == ("rejected", "circuit", "PB-2008")
    client_for_connection(installation.connection).call("list_models", context=builders.context())
    assert ask(client).json["id"] == "resp_1"


def test_an_answer_between_two_failures_starts_the_count_anew(far_side):
    answers = [refused(401, "invalid_api_key"), refused(401, "invalid_api_key"), httpx.Response(200, json=GOOD)] * 2
    far_side(lambda request: answers.pop(0))
    client = client_for(builders.installation())
    for outcome in ("hard", "hard", "good", "hard", "hard", "good"):
        if outcome == "good":
            ask(client)
        else:
            with pytest.raises(errors.BadKey):
                ask(client)


def test_a_new_key_begins_without_the_failures_of_the_old_one(far_side):
    far_side(lambda request: refused(401, "invalid_api_key"))
    client = client_for(installation := builders.installation())
    for _ in range(3):
        with pytest.raises(errors.BadKey):
            ask(client)
    holds.forget(f"connection:{installation.connection_id}")
    with pytest.raises(errors.BadKey):
        ask(client)


def test_a_quota_that_is_used_up_parks_its_model_and_no_other(far_side):
    used_up = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "30s"}
    far_side(lambda request: httpx.Response(200, json=GOOD, headers=used_up))
    client = client_for(builders.installation(excess="reject"))
    ask(client)
    with pytest.raises(errors.QuotaUsedUp) as caught:
        ask(client)
    assert 25 < (caught.value.retry_after or 0) <= 30
    ask(client, model="gpt-6.1-sol")


def test_a_few_requests_that_are_left_may_be_used_however_many_tokens_each_takes(far_side):
    left = {"x_ratelimit_remaining_requests": "3", "x_ratelimit_reset_requests": "48s"}
    far_side(lambda request: httpx.Response(200, json=GOOD, headers={k.replace("_", "-"): v for k, v in left.items()}))
    client = client_for(builders.installation(tokens_per_minute=100_000, excess="reject"))
    for _ in range(2):
        assert ask(client, max_output_tokens=500).json["id"] == "resp_1"
    assert not Hold.objects.exists()


def test_the_scarcer_of_two_token_quotas_counts():
    told = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}
    told |= {"x-ratelimit-remaining-project-tokens": "50000", "x-ratelimit-reset-project-tokens": "1s"}
    assert [(quota.kind, quota.left, quota.seconds) for quota in holds.quotas(told)] == [("tokens", 0, 360.0)]


def test_calls_wait_until_the_quota_is_full_again(far_side):
    answers = [{"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "300ms"}, {}]
    far_side(lambda request: httpx.Response(200, json=GOOD, headers=answers.pop(0)))
    client = client_for(builders.installation())
    ask(client)
    second = Call.objects.get(pk=ask(client).call_id)
    assert 200 <= second.queue_ms < 2000
    assert not Hold.objects.filter(kind="requests", until__gt=second.sent_at.timestamp() + 1).exists()


def test_a_429_makes_the_others_of_its_model_wait_as_long_as_it_was_told(far_side):
    far_side(lambda request: refused(429, "rate_limit_exceeded", retry_after="20"))
    client = client_for(builders.installation(excess="reject"))
    with pytest.raises(errors.RateLimited):
        ask(client)
    with pytest.raises(errors.QuotaUsedUp, match="asked to wait"):
        ask(client)


def test_tokens_are_reserved_by_estimate_and_corrected_by_usage(far_side):
    seen: list[int] = []
    usage = {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(Permit.objects.get().tokens)
        return httpx.Response(200, json={**GOOD, "usage": usage})

    far_side(answer)
    client = client_for(builders.installation()).with_throttle(Throttle("tokens", tokens=600, wait=False))
    ask(client, max_output_tokens=500)
    assert 500 <= seen[0] < 600
    assert Tally.objects.get(kind="tokens").amount == 30
    ask(client, max_output_tokens=500)
    ask(client, max_output_tokens=500)
    with pytest.raises(errors.Rejected, match="600 tokens in a minute"):
        ask(client, max_output_tokens=520)


def test_a_spent_budget_stops_the_next_call_and_says_when_it_begins_anew(far_side):
    usage = {"input_tokens": 1_000_000, "output_tokens": 1_000_000, "total_tokens": 2_000_000}
    far_side(lambda request: httpx.Response(200, json={**GOOD, "usage": usage}))
    throttle = Throttle("purse", budgets=(Budget("day", cost=NANO // 2, tokens=None),))
    client = client_for(builders.installation()).with_throttle(throttle)
    assert Call.objects.get(pk=ask(client).call_id).cost
    with pytest.raises(errors.BudgetSpent, match=r"\$0.50 a day is used up") as caught:
        ask(client)
    assert Call.objects.get(pk=caught.value.call_id).error_code == "budget"
