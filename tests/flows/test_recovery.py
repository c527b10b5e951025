"""A worker was killed in the middle of an item. The log says how far its call had come; nothing is paid twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from flows.engine import execute
from flows.models import Item, Run
from flows.tasks import sweep
from tests.flows.builders import abandoned_item, push, response, stored_answer

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


def test_a_run_that_has_ended_is_not_begun_again(openai):
    run = push()
    execute(run.pk)
    execute(run.pk)
    assert (sweep(), len(openai.requests)) == (0, 1)
