"""What the log says of calls whose process was killed, by how far they had come."""

from __future__ import annotations

import time

import pytest

from logs.models import Attempt, Call
from openai_api import sweep
from openai_api.models import Permit

pytestmark = pytest.mark.django_db


def call_of_a_dead_process(state: str, attempt: int = 1, method: str = "POST") -> Call:
    call = Call.objects.create(operation="create_response", method=method, path="/responses", correlation_id="c")
    times = {"seconds": 60, "not_before": 0, "lease_until": time.time() + 9}
    Permit.objects.create(key="k", call_id=call.pk, attempt=attempt, holder="dead", state=state, **times)
    if state == "held":
        Attempt.objects.create(call_id=call.pk, number=attempt, queued_at=call.created_at)
    sweep.release_process("dead")
    call.refresh_from_db()
    return call


@pytest.mark.parametrize(
    ("state", "attempt", "method", "outcome", "sentence"),
    [
        ("waiting", 1, "POST", "failed", sweep.GONE_LINE),
        ("waiting", 2, "POST", "failed", sweep.GONE_RETRY),
        ("held", 1, "POST", "unknown", sweep.GONE_WIRE),
        ("held", 2, "POST", "unknown", sweep.GONE_WIRE),
        ("held", 1, "GET", "failed", sweep.GONE_READ),
    ],
)
def test_a_call_ends_by_how_far_it_had_come(state, attempt, method, outcome, sentence):
    call = call_of_a_dead_process(state, attempt, method)
    assert (call.state, call.error_message, call.error_code) == (outcome, sentence, "process_stopped")
    assert set(Attempt.objects.values_list("state", flat=True)) <= {outcome}
    assert not Permit.objects.exists()
