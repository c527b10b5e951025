import json
import time
from typing import Any

import openai
import pytest
from standardwebhooks import Webhook

from sandbox.webhooks import EVENT_TYPES
from tests.sandbox.conftest import Client, Listener, Sandbox, running

ASKED = {"model": "gpt-6-luna", "input": "Oak desk", "background": True}


def register(client: Client, listener: Listener, *types: str):
    return client.webhooks.create(name="Patchbay", url=listener.url, event_types=types or ("response.completed",))


@pytest.mark.parametrize(
    ("fault", "type"),
    [(None, "response.completed"), ("failed", "response.failed"), ("incomplete", "response.incomplete")],
)
def test_the_end_of_a_background_response_is_announced(
    sandbox: Sandbox, client: Client, listener: Listener, fault, type
):
    endpoint = register(client, listener, type)
    if fault:
        sandbox.fail(fault)
    asked = client.responses.create(**ASKED)
    ((headers, body),) = listener.wait_for(1)
    event = client.webhooks.unwrap(body, headers, secret=endpoint.signing_secret)
    assert (event.type, event.data.id) == (type, asked.id)
    assert headers["webhook-id"].startswith("wh_")
    assert headers["user-agent"].startswith("OpenAI/1.0")
    assert json.loads(body).keys() == {"id", "object", "type", "created_at", "data"}
    assert client.responses.retrieve(asked.id).status == type.partition(".")[2]


def test_an_event_is_lost_or_repeated_on_order(sandbox: Sandbox, client: Client, listener: Listener):
    register(client, listener)
    sandbox.fail("lost_event")
    sandbox.fail("repeated_event")
    client.responses.create(**(ASKED | {"background": False}))
    lost, repeated = (client.responses.create(**ASKED).id for _ in range(2))
    first, second = listener.wait_for(2)
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert json.loads(first[1])["data"] == {"id": repeated}
    assert client.responses.retrieve(lost).status == "completed"
    assert len(listener.wait_for(2)) == 2


def test_a_cancelled_response_is_announced(sandbox: Sandbox, client: Client, listener: Listener):
    sandbox.set(background_seconds=30)
    register(client, listener, "response.cancelled")
    asked = client.responses.create(**ASKED)
    client.responses.cancel(asked.id)
    assert json.loads(listener.wait_for(1)[0][1])["data"] == {"id": asked.id}


def test_standardwebhooks_accepts_the_signature_and_no_other(client: Client, listener: Listener):
    endpoint = register(client, listener)
    client.responses.create(**ASKED)
    ((headers, body),) = listener.wait_for(1)
    assert Webhook(endpoint.signing_secret).verify(body, headers)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.unwrap(body + b" ", headers, secret=endpoint.signing_secret)


def test_a_refused_delivery_is_tried_again_with_the_same_id(client: Client, listener: Listener):
    register(client, listener)
    listener.answers = [500, 503]
    client.responses.create(**ASKED)
    received = listener.wait_for(3)
    assert len({headers["webhook-id"] for headers, _ in received}) == 1


def test_a_redirect_is_a_refusal_and_not_followed(sandbox: Sandbox, client: Client, listener: Listener):
    register(client, listener)
    listener.answers = [307]
    client.responses.create(**ASKED)
    listener.wait_for(2)
    (delivery,) = until_done(sandbox)
    assert [attempt["status"] for attempt in delivery["attempts"]] == [307, 200]


def until_done(sandbox: Sandbox) -> Any:
    deadline = time.monotonic() + 30
    while True:
        deliveries = sandbox.order("GET", "deliveries")["data"]
        if deliveries and all(delivery["done"] for delivery in deliveries):
            return deliveries
        assert time.monotonic() < deadline, deliveries


def test_attempts_come_to_an_end(sandbox: Sandbox, client: Client, listener: Listener):
    sandbox.set(webhook_attempts=2)
    register(client, listener)
    listener.answers = [500] * 9
    client.responses.create(**ASKED)
    (delivery,) = until_done(sandbox)
    assert (len(delivery["attempts"]), delivery["accepted"]) == (2, False)


def test_an_endpoint_hears_only_what_it_subscribed_to_and_only_of_its_project(
    sandbox: Sandbox, client: Client, listener: Listener
):
    register(client, listener, "response.failed")
    with sandbox.client(project="proj_other") as other:
        endpoint = register(other, listener)
        client.responses.create(**ASKED)
        mine = other.responses.create(**ASKED)
        ((headers, body),) = listener.wait_for(1)
        assert client.webhooks.unwrap(body, headers, secret=endpoint.signing_secret).data.id == mine.id
    assert len(sandbox.order("GET", "deliveries")["data"]) == 1


def test_endpoints_are_listed_changed_and_deleted_and_tell_their_secret_once(
    sandbox: Sandbox, client: Client, listener: Listener
):
    endpoint = register(client, listener)
    assert endpoint.signing_secret.startswith("whsec_")
    assert "signing_secret" not in sandbox.get(f"webhook_endpoints/{endpoint.id}").json()
    changed = client.webhooks.update(endpoint.id, name="Other", event_types=["batch.failed"])
    assert (changed.name, changed.event_types, changed.url) == ("Other", ["batch.failed"], listener.url)
    assert [kept.id for kept in client.webhooks.list()] == [endpoint.id]
    assert client.webhooks.delete(endpoint.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.webhooks.retrieve(endpoint.id)


def test_after_rotation_with_overlap_both_secrets_verify(client: Client, listener: Listener):
    first = register(client, listener)
    second = client.webhooks.rotate_secret(first.id, keep_old_secret_active_for_24_hours=True)
    assert second.signing_secret != first.signing_secret
    client.webhooks.test(first.id, event_type="response.completed")
    ((headers, body),) = listener.wait_for(1)
    for secret in (first.signing_secret, second.signing_secret):
        client.webhooks.unwrap(body, headers, secret=secret)


def test_after_rotation_without_overlap_only_the_new_secret_verifies(client: Client, listener: Listener):
    first = register(client, listener)
    second = client.webhooks.rotate_secret(first.id)
    client.webhooks.test(first.id, event_type="response.completed")
    ((headers, body),) = listener.wait_for(1)
    client.webhooks.unwrap(body, headers, secret=second.signing_secret)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.unwrap(body, headers, secret=first.signing_secret)


def test_a_test_says_what_the_listener_answered(client: Client, listener: Listener):
    endpoint = register(client, listener)
    listener.answers = [418]
    result = client.webhooks.test(endpoint.id, event_type="realtime.call.incoming")
    assert (result.status_code, result.success) == (418, True)
    ((headers, body),) = listener.wait_for(1)
    event = client.webhooks.unwrap(body, headers, secret=endpoint.signing_secret)
    assert event.data.call_id


def test_a_test_of_a_dead_address_is_refused(client: Client):
    endpoint = client.webhooks.create(name="x", url="http://127.0.0.1:9/x", event_types=["batch.failed"])
    with pytest.raises(openai.BadRequestError, match="could not be reached"):
        client.webhooks.test(endpoint.id, event_type="batch.failed")


@pytest.mark.parametrize(
    "changes",
    [{"url": "http://example.com/x"}, {"url": "ftp://127.0.0.1"}, {"url": "http://["}, {"event_types": ["moon.rose"]}]
    + [{"event_types": []}, {"name": None}],
)
def test_what_cannot_be_an_endpoint_is_refused(sandbox: Sandbox, changes):
    good = {"name": "x", "url": "https://example.com/hook", "event_types": ["batch.failed"]}
    assert sandbox.post("webhook_endpoints", good).status_code == 200
    assert sandbox.post("webhook_endpoints", good | changes).status_code == 400


def test_all_event_types_can_be_asked_for(client: Client, sandbox: Sandbox):
    assert client.webhooks.event_types.list().data == list(EVENT_TYPES)


def test_an_event_can_be_ordered_twice_stale_or_forged(sandbox: Sandbox, client: Client, listener: Listener):
    endpoint = register(client, listener)
    event: dict[str, Any] = {"type": "response.completed", "data": {"id": "resp_1"}}
    sandbox.order("POST", "events", event | {"copies": 2})
    twice = listener.wait_for(2)
    assert len({headers["webhook-id"] for headers, _ in twice}) == 1
    ways: list[dict[str, Any]] = [{"forge": True}, {"timestamp_offset": -600}]
    for number, how in enumerate(ways):
        sandbox.order("POST", "events", event | how)
        headers, body = listener.wait_for(3 + number)[-1]
        with pytest.raises(openai.InvalidWebhookSignatureError):
            client.webhooks.unwrap(body, headers, secret=endpoint.signing_secret)


def test_endpoints_outlive_a_restart_in_a_file_for_the_owner_only(tmp_path, listener: Listener):
    file = tmp_path / "endpoints.json"
    with running("--state", str(file)) as (first, _), first.client() as client:
        endpoint = register(client, listener)
    assert file.stat().st_mode & 0o777 == 0o600
    with running("--state", str(file)) as (second, _), second.client() as client:
        client.webhooks.test(endpoint.id, event_type="response.completed")
        ((headers, body),) = listener.wait_for(1)
        client.webhooks.unwrap(body, headers, secret=endpoint.signing_secret)
