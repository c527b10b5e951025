"""A push in the background, finished by signed webhooks; of which some come twice and some never."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.whole.program import Program

pytestmark = pytest.mark.slow
RECORDS, LOST, REPEATED = 50, 15, 10
EVENTS = RECORDS - LOST
FINISHED = "SELECT finished_at IS NULL, count(*) FROM flows_item WHERE run_id = ? GROUP BY 1"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path)
    program.start()
    try:
        program.settle_in(RECORDS - 5, throttle_limit=500, throttle_seconds=1, concurrent_connections=10)
        yield program
    finally:
        program.stop()
        program.sandbox.close()


def test_events_finish_a_background_push_and_asking_finishes_what_no_event_came_for(program: Program):
    program.sandbox.fault(kind="lost_event", times=LOST)
    program.sandbox.fault(kind="repeated_event", times=REPEATED)
    run = program.push(mode="background")
    wait_until(lambda: program.run_state(run) == "done", 40)
    wait_until(lambda: program.rows("SELECT DISTINCT state FROM webhooks_event") == [("done",)], 20)

    deliveries = [count for (count,) in program.rows("SELECT deliveries FROM webhooks_event WHERE signed")]
    assert Counter(deliveries) == {1: EVENTS - REPEATED, 2: REPEATED}
    assert 0 < program.rows("SELECT count(*) FROM webhooks_event WHERE run_id = ?", run)[0][0] <= EVENTS
    asked = "SELECT count(DISTINCT cause_id) FROM logs_call WHERE operation = 'get_response' AND cause = 'run item'"
    assert program.rows(asked)[0][0] >= LOST

    assert program.rows(FINISHED, run) == [(0, RECORDS)]
    written = "SELECT key, count(*) FROM flows_recordchange WHERE cause = 'answer' GROUP BY key"
    assert Counter(count for _, count in program.rows(written)) == {1: RECORDS}
    posts = [row for row in program.sandbox.journal() if (row["method"], row["path"]) == ("POST", "/v1/responses")]
    assert len(posts) == RECORDS
