"""A worker was killed in the middle of an item. The log says how far its call had come; nothing is paid twice."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from flows.actions import decide_all
from flows.engine import execute
from flows.models import Item, Run
from flows.tasks import release_process, sweep
from jobs.tokens import new_token
from tests.flows.builders import OMAR, abandoned_item, product, push, ready_installation, response, stored_answer

pytestmark = pytest.mark.django_db(transaction=True)


def recovered(item: Item) -> Item:
    execute(item.run_id)
    item.refresh_from_db()
    return item


def test_an_item_without_a_call_is_sent(openai):
    item = recovered(abandoned_item())
    assert (item.state, len(openai.requests)) == ("done", 1)


@pytest.mark.parametrize("state", ["rejected", "cancelled", "failed"])
def test_a_call_that_never_left_is_made_again(openai, state):
    item = recovered(abandoned_item(state))
    assert (item.state, len(openai.requests)) == ("done", 1)


def test_a_call_of_unknown_outcome_is_left_to_a_person(openai):
    item = recovered(abandoned_item("unknown", sent_at=timezone.now()))
    assert (item.state, len(openai.requests)) == ("unknown", 0)
    item.run.refresh_from_db()
    assert item.run.state == "undecided"


def test_a_call_of_unknown_outcome_is_sent_again_where_that_was_allowed(openai):
    item = abandoned_item("unknown", sent_at=timezone.now())
    Run.objects.update(repeat_unknown=True)
    assert recovered(item).state == "done"
    assert len(openai.requests) == 1


@pytest.mark.parametrize("state", ["queued", "sending", "retrying"])
def test_a_call_that_may_still_end_is_waited_for(openai, state):
    item = recovered(abandoned_item(state))
    assert (item.state, len(openai.requests)) == ("working", 0)


def test_a_call_that_never_ends_is_of_unknown_outcome(openai):
    item = abandoned_item("sending")
    Item.objects.update(lease_until=timezone.now() - timedelta(minutes=10))
    assert recovered(item).state == "unknown"


def test_an_answer_that_was_kept_is_written_without_asking_again(openai):
    item = abandoned_item("done", object_id="resp_9")
    stored_answer(item, response(9, "Kept."))
    item = recovered(item)
    assert (item.state, len(openai.requests)) == ("done", 0)
    assert Item.objects.select_related("record").get().record.custom["OpenAI Response Text"] == "Kept."


def test_an_answer_that_was_cut_is_fetched_and_not_paid_again(openai):
    item = abandoned_item("done", object_id="resp_9")
    stored_answer(item, response(9), truncated=True)
    assert recovered(item).state == "done"
    assert [(sent.method, sent.url.path) for sent in openai.requests] == [("GET", "/v1/responses/resp_9")]


def test_a_refusal_that_was_not_written_down_is_written_now(openai):
    item = recovered(abandoned_item("failed", http_status=400, error_message="Too odd."))
    assert (item.state, item.error, len(openai.requests)) == ("failed", "Too odd.", 0)


def test_a_run_is_worked_on_by_one_holder_and_taken_over_once_that_falls_silent(openai):
    run = push()
    now = timezone.now()
    Run.objects.update(lease_token="other", lease_until=now + timedelta(seconds=9), enqueued_at=None, state="running")
    execute(run.pk)
    assert (sweep(), len(openai.requests)) == (0, 0)
    Run.objects.update(lease_until=now - timedelta(seconds=1))
    assert sweep() == 1
    assert sweep() == 0
    execute(run.pk)
    assert len(openai.requests) == 1


def test_who_starts_under_the_name_of_a_killed_process_gives_back_what_that_one_held(openai, settings):
    item = abandoned_item()
    soon = timezone.now() + timedelta(seconds=9)
    for name in ("host-worker-10", "host-worker-1"):
        settings.PROCESS_NAME = name
        token = new_token()
    Item.objects.update(lease_token=token, lease_until=soon)
    Run.objects.update(lease_token=token, lease_until=soon, enqueued_at=None, state="running")
    queued = DBTaskResult.objects.count
    before = queued()
    release_process("host-worker-10")
    release_process("host-worker")
    release_process("")
    assert (recovered(item).state, queued() - before) == ("working", 0)
    release_process("host-worker-1")
    assert queued() - before == 1
    assert recovered(item).state == "done"


@pytest.mark.parametrize(("sent", "attempts"), [(0, 1), (1, 2)])
def test_a_claim_that_sent_nothing_is_no_attempt(openai, sent, attempts):
    item = recovered(abandoned_item("failed", error_code="process_stopped", attempts=sent))
    assert (item.state, item.attempts) == ("done", attempts)


def test_records_that_were_sent_before_come_last(openai):
    run = push([product("P-1"), product("P-2")], installation=ready_installation(concurrent_connections=1))
    run.items.filter(record__key="P-1").update(attempts=1)
    execute(run.pk)
    assert [body["metadata"]["patchbay_key"] for body in openai.asked()] == ["P-2", "P-1"]


def test_a_record_that_comes_into_line_meanwhile_is_sent_too(openai):
    run = push([product("P-1"), product("P-2")], installation=ready_installation(concurrent_connections=1))
    run.items.filter(record__key="P-1").update(state="unknown")

    def decided(request: httpx.Request, number: int) -> httpx.Response:
        decide_all(OMAR, run, send_again=True)
        return httpx.Response(200, json=response(number))

    openai.answer = decided
    execute(run.pk)
    run.refresh_from_db()
    assert (run.state, len(openai.requests)) == ("done", 2)


def test_a_run_that_has_ended_is_not_begun_again(openai):
    run = push()
    execute(run.pk)
    execute(run.pk)
    assert (sweep(), len(openai.requests)) == (0, 1)
