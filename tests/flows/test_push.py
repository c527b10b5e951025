"""Pushing records: what is sent, what is written, and that nothing is done twice."""

from __future__ import annotations

import threading

import httpx
import pytest
from django_tasks_db.models import DBTaskResult

from flows.actions import CannotStart, start_push
from flows.engine import execute
from flows.models import Item, RecordChange, Run
from logs.models import Call
from mappings.models import Mapping, MappingVersion
from tests import builders as plain
from tests.flows.builders import OMAR, mapping, product, push, ready_installation, response

pytestmark = pytest.mark.django_db(transaction=True)


def ended(run: Run) -> Run:
    execute(run.pk)
    run.refresh_from_db()
    return run


def test_a_push_writes_the_answer_into_each_record(openai):
    run = ended(push([product("P-1"), product("P-2"), product("P-3")]))
    assert (run.state, run.done, run.total) == ("done", 3, 3)
    assert sorted(body["metadata"]["patchbay_key"] for body in openai.asked()) == ["P-1", "P-2", "P-3"]
    for item in run.items.select_related("record"):
        assert item.record.custom["OpenAI Response Text"] == "A fine thing."
        assert item.record.custom["OpenAI Last Response ID"] == item.response_id


def test_a_mapping_that_only_adds_sends_a_record_once(openai):
    installation = ready_installation()
    Mapping.objects.update(sync_type="add")
    old, new = product("P-1"), product("P-2")
    assert ended(push([old], installation)).done == 1
    run = ended(push([old, new], installation))
    assert (run.state, run.done, run.skipped, len(openai.requests)) == ("done", 1, 1, 2)
    assert run.items.get(state="skipped").error == "P-1 was sent before, and this mapping only adds records."
    assert ended(push([old], ready_installation(name="Elsewhere", webhook_key="other"))).done == 1


def test_what_may_have_been_sent_is_not_added_again(openai):
    installation = ready_installation()
    Mapping.objects.update(sync_type="add")
    first = push(installation=installation)
    first.items.update(state="unknown")
    assert ended(push([first.items.get().record], installation)).skipped == 1
    assert openai.requests == []


def test_a_mapping_that_only_updates_sends_what_was_sent_before(openai):
    installation = ready_installation()
    old, new = product("P-1"), product("P-2")
    ended(push([old], installation))
    Mapping.objects.filter(direction="from_hub").update(sync_type="update")
    run = ended(push([old, new], installation))
    assert (run.done, run.skipped) == (1, 1)
    assert run.items.get(state="skipped").error == "P-2 was not sent before, and this mapping only updates records."


def test_a_change_that_is_added_is_not_updated_as_well(openai):
    """Both kinds of mapping wait for the same change: the record leaves once."""
    installation = ready_installation()
    record, mappings = product(), Mapping.objects.filter(installation=installation, direction="from_hub")
    mappings.update(sync_type="add")
    adding = push([record], installation)
    updating = push([record], installation)
    ended(adding)
    mappings.update(sync_type="update")
    assert (ended(updating).skipped, len(openai.requests)) == (1, 1)


def test_every_item_leads_to_its_call_and_every_change_to_its_mapping(openai):
    run = ended(push())
    item = run.items.get()
    call = Call.objects.get(pk=item.call_id)
    change = RecordChange.objects.get(cause="answer")
    assert (call.cause, call.cause_id, call.correlation_id) == ("run item", str(item.pk), item.correlation_id)
    assert (change.cause_id, change.call_id) == (str(item.pk), call.pk)
    made_by = MappingVersion.objects.get(mapping_name="Create response to Product")
    assert change.made_by == [[made_by.pk, "Create response to Product, version 1"]]
    assert (run.version, call.tags) == (MappingVersion.objects.get(pk=run.version_id), f"mapping-{run.version_id}")


def test_a_failed_call_fails_its_item_with_the_sentence_and_the_run_goes_on(openai):
    def one_refused(request: httpx.Request, number: int) -> httpx.Response:
        if b"P-2" in request.content:
            return httpx.Response(400, json={"error": {"message": "Too odd.", "type": "invalid_request_error"}})
        return httpx.Response(200, json=response(number))

    openai.answer = one_refused
    run = ended(push([product("P-1"), product("P-2")]))
    assert (run.state, run.done, run.failed) == ("failures", 1, 1)
    assert "Too odd" in run.items.get(state="failed").error


def test_an_answer_that_never_came_is_unknown_and_is_not_sent_again(openai):
    def broken(request: httpx.Request, number: int) -> httpx.Response:
        raise httpx.ReadError("cut", request=request)

    openai.answer = broken
    run = ended(push())
    assert (run.state, run.unknown, len(openai.requests)) == ("undecided", 1, 1)
    ended(run)
    assert len(openai.requests) == 1


def test_an_unknown_outcome_is_sent_again_where_that_was_allowed(openai):
    def broken_once(request: httpx.Request, number: int) -> httpx.Response:
        if number == 1:
            raise httpx.ReadError("cut", request=request)
        return httpx.Response(200, json=response(number))

    openai.answer = broken_once
    run = ended(push(repeat_unknown=True))
    assert (run.state, len(openai.requests)) == ("done", 2)


def test_two_workers_with_the_same_task_send_each_record_once(openai):
    run = push([product(f"P-{number}") for number in range(8)])
    both = threading.Barrier(2)

    def work() -> None:
        from django.db import connection

        both.wait()
        execute(run.pk)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    run.refresh_from_db()
    assert (run.state, run.done, len(openai.requests)) == ("done", 8, 8)


def test_a_result_is_not_written_by_who_lost_the_item(openai):
    run = push()

    def stolen(request: httpx.Request, number: int) -> httpx.Response:
        Item.objects.update(lease_token="somebody else")
        return httpx.Response(200, json=response(number))

    openai.answer = stolen
    ended(run)
    item = run.items.select_related("record").get()
    assert (item.state, item.lease_token) == ("working", "somebody else")
    assert "OpenAI Response Text" not in item.record.custom


def test_a_record_that_changed_meanwhile_keeps_both_changes(openai):
    from flows.actions import save_record

    def changes(request: httpx.Request, number: int) -> httpx.Response:
        save_record(OMAR, "Product", "P-1", {"price": "9"}, cause="sample")
        return httpx.Response(200, json=response(number))

    openai.answer = changes
    record = ended(push()).items.select_related("record").get().record
    assert record.fields["price"] == "9"
    assert record.custom["OpenAI Response Text"] == "A fine thing."


def test_a_push_without_a_mapping_says_so(openai):
    with pytest.raises(CannotStart, match="no active mapping"):
        start_push(OMAR, plain.installation(), "Product", [product()])


def test_a_push_of_nothing_says_so(openai):
    with pytest.raises(CannotStart, match="No Product record"):
        start_push(OMAR, ready_installation(), "Product", [])


def test_a_batch_slot_that_is_taken_fails_the_run_where_excess_is_rejected(openai):
    from connections.clients import client_for

    installation = ready_installation(concurrent_batches=1, excess="reject")
    run = push(installation=installation)
    with client_for(installation).batch():
        ended(run)
    assert (run.state, run.failed, len(openai.requests)) == ("failures", 1, 0)
    assert "Rejected by the throttle" in run.items.get().error


def test_a_long_push_gives_way_to_waiting_tasks_and_comes_back_behind_them(openai, monkeypatch):
    from flows import session
    from flows.tasks import run_push

    monkeypatch.setattr(session, "TURN", 0.0)
    monkeypatch.setattr(session, "LOOK_EVERY", 0.0)
    run = push([product("P-1"), product("P-2")], installation=ready_installation(concurrent_connections=1))
    DBTaskResult.objects.all().delete()

    def busy(request: httpx.Request, number: int) -> httpx.Response:
        run_push.enqueue(0)
        return httpx.Response(200, json=response(number))

    openai.answer = busy
    run_push.call(run.pk)
    run.refresh_from_db()
    assert (run.is_open, run.done, len(openai.requests)) == (True, 1, 1)
    waiting = DBTaskResult.objects.ready().order_by("enqueued_at")
    assert [task.args_kwargs["args"] for task in waiting] == [[0], [run.pk]]
    waiting.delete()
    openai.answer = openai.complete
    run_push.call(run.pk)
    run.refresh_from_db()
    assert (run.state, len(openai.requests)) == ("done", 2)


def test_a_mapping_decides_which_operation_is_called_and_which_mapping_reads_the_answer(openai):
    installation = ready_installation()
    installation.mappings.filter(name="Product to Create response").update(active=False)
    chat = mapping(installation, "Chat", "from_hub", "create_chat_completion", messages='[{"role": "user"}]')
    mapping(installation, "From chat", "to_hub", "create_chat_completion", **{"custom.Chat": "text"})
    reply = {"id": "chatcmpl_1", "choices": [{"message": {"content": "Hello"}}]}
    openai.answer = lambda request, number: httpx.Response(200, json=reply)
    run = ended(push(installation=installation))
    assert (run.state, run.mapping_name, openai.requests[0].url.path) == ("done", chat.name, "/v1/chat/completions")
    record = run.items.get().record
    assert record.custom["Chat"] == "Hello"
    assert "OpenAI Response Text" not in record.custom
    assert Call.objects.get().operation == "create_chat_completion"


def test_only_responses_run_in_the_background(openai):
    installation = ready_installation()
    installation.mappings.filter(direction="from_hub").update(operation="create_embedding")
    with pytest.raises(CannotStart, match="Create response only"):
        push(installation=installation, mode="background")
