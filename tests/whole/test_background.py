"""A push in the background, finished by signed webhooks; of which some come twice and some never."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest

from tests.conftest import Sandbox, wait_until
from tests.whole.program import Program

pytestmark = pytest.mark.slow
RECORDS, LOST, REPEATED = 50, 15, 10
EVENTS = RECORDS - LOST
WRITTEN = """
    SELECT key, count(*) FROM flows_recordchange
    WHERE cause = 'answer' AND cause_id IN (SELECT CAST(id AS TEXT) FROM flows_item WHERE run_id = ?) GROUP BY key"""
FINISHED = "SELECT finished_at IS NULL, count(*) FROM flows_item WHERE run_id = ? GROUP BY 1"


@pytest.fixture
def program(whole_program: Program, running_sandbox: Sandbox) -> Program:
    """It hears of this sandbox's events as of OpenAI's: an administrator enters there where to send them, and here the secret."""
    running_sandbox.clear()
    wanted = {"name": "Whole", "url": whole_program.webhook_url, "event_types": ["response.completed"]}
    with httpx.Client(
        base_url=running_sandbox.url, headers={"authorization": "Bearer sk-sandbox"}, trust_env=False
    ) as far:
        made = far.post("/webhook_endpoints", json=wanted).raise_for_status().json()
    whole_program.post("/installations/1/signing-secret/", secret=made["signing_secret"])
    return whole_program


def test_events_finish_a_background_push_and_asking_finishes_what_no_event_came_for(program: Program):
    program.sandbox.fault(kind="lost_event", times=LOST)
    program.sandbox.fault(kind="repeated_event", times=REPEATED)
    keys = "\n".join(f"K-{number:03}" for number in range(RECORDS))
    run = program.push(mode="background", which="keys", keys=keys)
    wait_until(lambda: program.run_state(run) == "done", 120)
    wait_until(lambda: program.rows("SELECT DISTINCT state FROM webhooks_event") == [("done",)], 60)

    deliveries = [count for (count,) in program.rows("SELECT deliveries FROM webhooks_event WHERE signed")]
    assert Counter(deliveries) == {1: EVENTS - REPEATED, 2: REPEATED}
    assert 0 < program.rows("SELECT count(*) FROM webhooks_event WHERE run_id = ?", run)[0][0] <= EVENTS
    asked = "SELECT count(DISTINCT cause_id) FROM logs_call WHERE operation = 'get_response' AND cause = 'run item'"
    assert program.rows(asked)[0][0] >= LOST

    assert program.rows(FINISHED, run) == [(0, RECORDS)]
    assert Counter(count for _, count in program.rows(WRITTEN, run)) == {1: RECORDS}
    posts = [row for row in program.sandbox.journal() if (row["method"], row["path"]) == ("POST", "/v1/responses")]
    assert len(posts) == RECORDS
