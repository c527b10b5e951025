"""Events are processed once, tried again with growing pauses, and end as dead letters with a sentence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from connections.models import Installation
from flows.models import Entity, Record
from logs.ids import uuid7
from mappings.defaults import create_defaults
from openai_api.errors import FailedInside, NotFound, ServerFailed
from tests.builders import installation
from tests.webhooks.builders import payload
from webhooks import handlers, tasks
from webhooks.models import Event
from webhooks.tasks import process, sweep

pytestmark = pytest.mark.django_db
RESPONSE = {
    "id": "resp_0000d4e5f6",
    "object": "response",
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Solid oak."}]}],
}


def event_of(installation: Installation, name: str = "response.completed", **over) -> Event:
    body = payload(name).decode()
    values = {"attempts": 1, "event_type": name, "object_id": "resp_0000d4e5f6", "payload": body, "webhook_id": "wh_1"}
    return Event.objects.create(
        installation_id=installation.pk, installation_name=installation.name, entity="Product", **(values | over)
    )


class FarClient:
    """A client whose every call gives the answer, or raises the error, it was made with."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def call(self, operation, **options):
        self.asked.append(operation)
        if isinstance(self.answer, Exception):
            raise self.answer
        return type("Answer", (), {"json": self.answer, "call_id": None})()


@pytest.fixture
def far(monkeypatch):
    def install(answer) -> FarClient:
        client = FarClient(answer)
        monkeypatch.setattr(handlers, "client_for", lambda installation: client)
        return client

    return install


def test_a_finished_response_becomes_a_message_though_nothing_waits_for_it(far):
    client, event = far(RESPONSE), event_of(installation())
    process.call(event.pk)
    event.refresh_from_db()
    assert (event.state, client.asked) == ("done", ["get_response"])
    assert "Nothing waited" in event.outcome
    assert Record.objects.get(pk=event.message_record_id).fields["text"] == "Solid oak."


@pytest.mark.parametrize("mapped", [True, False])
def test_a_message_has_the_fields_of_its_entity_with_and_without_a_mapping(far, mapped):
    far(RESPONSE)
    here = installation()
    if mapped:
        create_defaults(here)
    process.call(event_of(here).pk)
    message, known = Record.objects.get(entity__name="Message"), Entity.objects.get(name="Message").fields
    assert set(message.fields) == {"type", "object id", "received date", "text"} <= {field["name"] for field in known}


def test_an_event_is_processed_once(far):
    client, event = far(RESPONSE), event_of(installation())
    process.call(event.pk)
    process.call(event.pk)
    assert client.asked == ["get_response"]


def test_an_event_that_overtakes_its_call_waits_a_moment(far):
    client, event = far(RESPONSE), event_of(installation(), attempts=0)
    process.call(event.pk)
    event.refresh_from_db()
    assert (event.state, client.asked) == ("retrying", [])


def test_a_failed_response_is_told_to_who_waits(far, monkeypatch):
    told = []
    monkeypatch.setattr(handlers, "finish_response", lambda installation, response, context: told.append(response))
    far(FailedInside("The model broke down.", code="server_error"))
    event = event_of(installation(), "response.failed")
    process.call(event.pk)
    event.refresh_from_db()
    assert (event.state, told[0]["status"], told[0]["error"]["code"]) == ("done", "failed", "server_error")


def test_a_batch_is_fetched(far):
    client = far({"id": "batch_1", "status": "completed", "request_counts": {"completed": 3, "total": 4}})
    event = event_of(installation(), "batch.completed")
    process.call(event.pk)
    event.refresh_from_db()
    assert (client.asked, event.outcome) == (["get_batch"], "Batch completed: 3 of 4 done.")


def test_other_events_are_kept_without_a_call(far):
    client, event = far(RESPONSE), event_of(installation(), "realtime.call.incoming")
    process.call(event.pk)
    event.refresh_from_db()
    assert (event.state, client.asked) == ("done", [])


def test_trouble_is_tried_again_and_ends_as_a_dead_letter(far):
    far(ServerFailed("OpenAI answered 500.", http_status=500))
    event = event_of(installation())
    pauses = []
    for _ in range(10):
        Event.objects.filter(pk=event.pk, state="retrying").update(next_at=timezone.now())
        process.call(event.pk)
        event.refresh_from_db()
        if event.state == "failed":
            break
        pauses.append((event.next_at - timezone.now()).total_seconds())
    assert (event.state, event.error) == ("failed", "OpenAI answered 500.")
    assert pauses == sorted(pauses) and len(pauses) == len(tasks.PAUSES) - 1


def test_a_response_that_is_gone_is_not_asked_for_again(far):
    far(NotFound("OpenAI has no such response."))
    event = event_of(installation())
    process.call(event.pk)
    event.refresh_from_db()
    assert event.state == "failed"
    assert "test event" in event.outcome


def test_an_event_leads_to_the_calls_that_failed_for_it(far):
    first, second = uuid7(), uuid7()
    event = event_of(installation())
    for error in (ServerFailed("OpenAI answered 500.", call_id=first), NotFound("Gone.", call_id=second)):
        far(error)
        process.call(event.pk)
        Event.objects.filter(pk=event.pk, state="retrying").update(next_at=timezone.now())
    event.refresh_from_db()
    assert event.call_ids == [str(first), str(second)]


def test_who_lost_the_lease_writes_nothing():
    event = event_of(installation())
    mine = Event.objects.claim(event.pk)
    Event.objects.filter(pk=event.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    theirs = Event.objects.claim(event.pk)
    assert mine and theirs and not mine.finish("failed") and theirs.finish("done")


def test_an_event_of_a_killed_process_is_free_once_its_successor_starts(far, settings):
    far(RESPONSE)
    event = event_of(installation(), attempts=3)
    settings.PROCESS_NAME = "host-worker-1"
    Event.objects.claim(event.pk)
    tasks.release_process("host-worker-2")
    assert Event.objects.claim(event.pk) is None
    tasks.release_process("host-worker-1")
    assert Event.objects.claim(event.pk)


def test_the_sweep_finds_what_nobody_works_on(monkeypatch):
    again = []
    monkeypatch.setattr(tasks, "process", type("Line", (), {"enqueue": staticmethod(again.append)}))
    here, past = installation(), timezone.now() - timedelta(minutes=5)
    lost = event_of(here, received_at=past)
    dead = event_of(here, webhook_id="wh_2", state="processing", lease_until=past)
    due = event_of(here, webhook_id="wh_3", state="retrying", next_at=past)
    event_of(here, webhook_id="wh_4")
    event_of(here, webhook_id="wh_5", state="done", received_at=past)
    assert sweep() == 3
    assert sorted(again) == sorted([lost.pk, dead.pk, due.pk])
