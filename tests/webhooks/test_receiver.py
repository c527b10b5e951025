"""Whatever comes to the webhook address, the answer is 200 for what is stored and 4xx for the rest."""

from __future__ import annotations

import json

import pytest
from openai import OpenAI

from flows.models import Entity
from tests.builders import installation
from tests.webhooks.builders import PAYLOADS, SECRET, deliver, payload, signed
from webhooks.models import Event, Refusal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def product(db):
    """Tests with real transactions empty every table at their end, the seeded entities too."""
    Entity.objects.get_or_create(name="Product")


NAMES = sorted(path.stem for path in PAYLOADS.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_a_signed_event_is_stored_before_it_is_answered(name, queued):
    installation(signing_secret=SECRET)
    body = payload(name)
    assert deliver(body, signed(body)) == (200, {"received": True})
    event = Event.objects.get()
    assert (event.event_type, event.webhook_id, event.signed, event.state) == (name, "wh_1", True, "received")
    assert event.object_id and event.payload.encode() == body
    assert queued == [event.pk]


def test_what_we_accept_the_official_sdk_accepts_too(queued):
    installation(signing_secret=SECRET)
    body = payload("response.completed")
    headers = signed(body)
    assert deliver(body, headers)[0] == 200
    event = OpenAI(api_key="sk-x", webhook_secret=SECRET).webhooks.unwrap(body, headers)
    assert event.type == "response.completed"


def test_a_repeated_delivery_is_answered_alike_and_processed_once(queued):
    installation(signing_secret=SECRET)
    body = payload("response.completed")
    for _ in range(3):
        assert deliver(body, signed(body)) == (200, {"received": True})
    assert (Event.objects.get().deliveries, len(queued)) == (3, 1)


def test_without_a_signing_secret_the_key_alone_counts(queued):
    installation()
    assert deliver(payload("batch.completed"))[0] == 200
    event = Event.objects.get()
    assert (event.signed, event.webhook_id) == (False, event.body["id"])


def test_a_wrong_key_is_refused_and_counted_in_one_row_a_minute(queued):
    installation()
    answers = [deliver(payload("batch.completed"), key=key) for key in ("wrong", "", "é\x00", "a" * 5000)]
    assert {status for status, _ in answers} == {401}
    assert answers[0][1]["error"]["code"] == "invalid_webhook_key"
    assert sum(Refusal.objects.values_list("count", flat=True)) == 4
    assert Refusal.objects.count() <= 2
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"webhook-signature": "v1,AAAA"}, 401, "signature_wrong"),
        ({"webhook-signature": "no comma"}, 401, "signature_wrong"),
        ({"webhook-signature": "v1,é"}, 401, "signature_wrong"),
        ({"webhook-signature": "v1,a,b"}, 401, "signature_wrong"),
        ({"webhook-id": "wh_other"}, 401, "signature_wrong"),
        ({"webhook-timestamp": "soon"}, 400, "signature_stale"),
        ({"webhook-timestamp": "nan"}, 400, "signature_stale"),
        ({"webhook-timestamp": "9" * 400}, 400, "signature_stale"),
        ({"webhook-signature": ""}, 400, "signature_missing"),
    ],
)
def test_a_forged_signature_is_refused(change, status, code, queued):
    installation(signing_secret=SECRET)
    body = payload("response.completed")
    answer = deliver(body, signed(body) | change)
    assert (answer[0], answer[1]["error"]["code"]) == (status, code)
    assert not Event.objects.exists() and not queued


@pytest.mark.parametrize("age", [301 + 5, -306])
def test_a_stale_signature_is_refused(age, queued):
    installation(signing_secret=SECRET)
    body = payload("response.completed")
    assert deliver(body, signed(body, age=age))[1]["error"]["code"] == "signature_stale"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b'{"type": 3}',
        b'{"type": "a b"}',
        b'{"type": "\\ud800"}',
        b'{"type": "response.completed", "n": NaN}',
        b"[" * 100_000,
        b'{"type": "' + b"x" * 5000 + b'"}',
    ],
)
def test_what_is_no_event_is_refused(body, queued):
    installation()
    status, answer = deliver(body)
    assert (status, answer["error"]["code"]) == (400, "malformed")


@pytest.mark.parametrize("data", [None, [], "x", {"id": None}, {"id": {"a": 1}}, {"id": "x y"}, {"id": "\ud800"}])
def test_an_event_about_nothing_we_can_name_is_kept(data, queued):
    installation()
    body = json.dumps({"type": "response.completed", "id": "evt_1", "data": data}).encode()
    assert deliver(body)[0] == 200
    assert Event.objects.get().object_id == ""


@pytest.mark.parametrize("size", [256 * 1024 + 1, 3 * 1024 * 1024])
def test_an_oversized_body_is_refused(size, queued):
    installation()
    assert deliver(b"x" * size)[0] == 413


def test_other_methods_paths_and_entities_are_refused(queued):
    installation()
    body = payload("response.completed")
    assert deliver(body, method="GET")[0] == 405
    assert deliver(body, path="/hookapi/v1/dynamic/OpenAI/Product")[0] == 404
    assert deliver(body, path="/hookapi/v2/dynamic/OpenAI/Nothing")[1]["error"]["code"] == "unknown_entity"


def test_trouble_with_the_database_asks_the_sender_to_come_again(queued, monkeypatch, caplog):
    def broken(key):
        raise OSError(f"the disk is full, and the key was {key}")

    monkeypatch.setattr("webhooks.inbox.installation_by_key", broken)
    status, answer = deliver(payload("response.completed"), key="secret-key")
    assert (status, answer["error"]["type"]) == (503, "server_error")
    assert "secret-key" not in caplog.text and "OSError" in caplog.text
