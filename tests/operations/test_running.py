"""Sending and keeping: the log's row, what the script is told, stopping, and what is kept of an answer."""

from __future__ import annotations

import json
import os
import stat
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.utils import timezone

from logs.models import Body, Call
from openai_api import loop
from openai_api.passing import NotPassedOn
from operations import keeping, running
from operations.asking import Asked, FilePart
from operations.models import Answer
from tests import builders
from tests.conftest import wait_until
from tests.operations.builders import HELLO, installation
from tests.proxy.far import Link
from tests.proxy.far import far as sockets

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = Asked("GET", "/models")
STREAM = Asked("POST", "/responses", body={"model": "gpt-6-luna", "input": "Hi", "stream": True}, stream=True)


def delta(text: str) -> bytes:
    event = {"type": "response.output_text.delta", "delta": text}
    return b"event: response.output_text.delta\ndata: " + json.dumps(event).encode() + b"\n\n"


ENDED = b"data: " + json.dumps({"type": "response.completed", "response": HELLO}).encode() + b"\n\n"


def stream(*pieces: bytes) -> httpx.Response:
    return httpx.Response(200, content=b"".join(pieces), headers={"content-type": "text/event-stream"})


def kept(answer: Answer) -> bytes:
    return keeping.path_of(answer.pk).read_bytes()


def told(sending: running.Sending, stop_at: str = "") -> list[tuple[str, Any]]:
    """What the script is told, in order; it hangs up when an event of this name came."""

    async def listen() -> list[tuple[str, Any]]:
        found = []
        async with aclosing(running._told(sending)) as written:
            async for event in written:
                name, data = event.decode().strip().split("\n")
                found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
                if found[-1][0] == stop_at:
                    break
        await sync_to_async(connections.close_all)()
        return found

    return loop.run(listen())


def test_the_log_names_the_person_the_cause_and_the_preset(far: Any) -> None:
    far()
    here = installation()
    answer = running.run(here, Asked("POST", "/responses", body={"model": "m"}, preset="7"), "omar")
    call = Call.objects.get(pk=answer.call_id)
    assert (call.cause, call.cause_id, call.actor) == ("operation", "7", "omar")
    assert (call.operation, call.installation_id, call.total_tokens) == ("create_response", here.pk, 12)


def test_what_the_far_side_says_of_a_failure_is_said_of_the_answer(far: Any) -> None:
    error = {"message": "Unknown parameter: 'x'.", "type": "invalid_request_error", "param": "x", "code": "unknown"}
    far(httpx.Response(400, json={"error": error}))
    answer = running.run(installation(), MODELS, "omar")
    assert (answer.state, answer.status, answer.error_code, answer.help_code) == ("failed", 400, "unknown", "PB-2010")
    assert "Unknown parameter: 'x'" in answer.error and json.loads(kept(answer))["error"] == error


def test_the_key_is_in_nothing_that_is_kept(far: Any) -> None:
    said = json.dumps({"echo": builders.API_KEY}).encode()
    far(httpx.Response(200, content=said, headers={"content-type": "application/json", "x-echo": builders.API_KEY}))
    answer = running.run(installation(), Asked("GET", "/echo", headers=(("x-a", "1"),)), "omar", debug=True)
    everything = json.dumps(answer.__dict__, default=str).encode() + kept(answer)
    assert b"echo" in kept(answer) and builders.API_KEY.encode() not in everything


@pytest.mark.parametrize(
    "asked",
    [
        Asked("GET", "/../admin"),
        Asked("GET", "/models", headers=(("Authorization", "Bearer mine"),)),
        Asked("GET", "/models", body={}),
        Asked("POST", "/files", body={}, form=(("purpose", "batch"),)),
        Asked("POST", "/files", form=(("purpose", "batch"),), headers=(("Content-Type", "text/plain"),)),
    ],
)
def test_a_request_that_cannot_be_sent_makes_no_row(asked: Asked) -> None:
    with pytest.raises(NotPassedOn):
        running.run(installation(), asked, "omar")
    assert not Call.objects.exists() and not Answer.objects.exists()


def test_a_file_that_was_not_chosen_again_is_missed() -> None:
    asked = Asked("POST", "/files", files=(FilePart("file", "rows.jsonl"),))
    with pytest.raises(NotPassedOn, match=r"rows\.jsonl.*Choose it again"):
        running.run(installation(), asked, "omar")


def test_nothing_is_sent_inside_a_transaction(far: Any) -> None:
    side = far()
    here = installation()
    with transaction.atomic(), pytest.raises(RuntimeError):
        running.run(here, MODELS, "omar")
    assert not side.requests and not Answer.objects.exists()


def test_the_script_is_told_the_text_as_it_comes(far: Any) -> None:
    far(stream(delta("Hel"), delta("lo."), ENDED))
    sending = running.prepare(installation(), STREAM, "omar", debug=False)
    events = told(sending)
    assert [name for name, _ in events][:2] == ["begun", "headers"] and events[-1][0] == "done"
    assert "".join(data for name, data in events if name == "text") == "Hello."
    answer = Answer.objects.get()
    assert (answer.state, answer.shown["text"], answer.shown["events"], answer.whole) == ("done", "Hello.", 3, True)
    assert answer.shown["tree"]["id"] == "resp_1"


def test_stopping_hangs_up_at_openai_at_once_and_the_log_says_cancelled(settings: Any) -> None:
    gone: list[bool] = []

    def answer_for_ever(link: Link) -> None:
        link.body()
        link.say(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n", delta("Hel"))
        gone.append(link.hung_up(60))

    with sockets() as side:
        side.answer = answer_for_ever
        settings.SANDBOX_URL = side.url
        here = builders.installation(connection=builders.connection(base_url=side.url))
        told(running.prepare(here, STREAM, "omar", debug=False), stop_at="text")
        wait_until(lambda: gone)
    assert gone == [True]
    answer, call = Answer.objects.get(), Call.objects.get()
    assert (call.state, call.error_code) == ("cancelled", "client_left")
    assert (answer.state, answer.shown["text"]) == ("cancelled", "Hel") and "Stopped before its end" in answer.error


def test_an_answer_is_its_owners_file(far: Any) -> None:
    far()
    path = keeping.path_of(running.run(installation(), MODELS, "omar").pk)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_more_than_is_kept_is_not_read_to_its_end(far: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_BYTES", 100_000)
    far(httpx.Response(200, content=b"x" * 300_000, headers={"content-type": "application/octet-stream"}))
    answer = running.run(installation(), Asked("GET", "/files/f/content", response_type="binary"), "omar")
    assert answer.state == "failed" and "larger than" in answer.error


def test_a_full_disk_says_so(far: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: keeping.Keeper, piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping.Keeper, "_write", full)
    far()
    answer = running.run(installation(), MODELS, "omar")
    assert (answer.state, answer.whole) == ("failed", False)
    assert answer.error.startswith("The answer could not be kept: No space left on device. Make room")


def test_what_was_kept_long_enough_goes_and_the_rest_stays(far: Any) -> None:
    far()
    here = installation()
    old, new = running.run(here, MODELS, "omar"), running.run(here, MODELS, "omar")
    long_ago = timezone.now() - timedelta(hours=25)
    Answer.objects.filter(pk=old.pk).update(created_at=long_ago)
    os.utime(keeping.path_of(old.pk), (long_ago.timestamp(), long_ago.timestamp()))
    keeping.prune()
    assert list(Answer.objects.values_list("pk", flat=True)) == [new.pk]
    assert [keeping.path_of(row.pk).exists() for row in (old, new)] == [False, True]
    assert Call.objects.count() == 2, "the log stays"


def test_an_answer_whose_process_was_stopped_ends_as_the_log_says(far: Any) -> None:
    far()
    here = installation()
    done, never = running.run(here, MODELS, "omar"), Answer.objects.create(installation=here, asked=MODELS.to_json())
    ago = timezone.now() - timedelta(minutes=5)
    Answer.objects.filter(pk=done.pk).update(state="sending", created_at=ago)
    Answer.objects.filter(pk=never.pk).update(created_at=ago)
    keeping.prune()
    done.refresh_from_db()
    never.refresh_from_db()
    assert (done.state, done.status) == ("done", 200)
    assert never.state == "failed" and "Send it again" in never.error


def test_a_small_body_of_parts_is_in_the_log(far: Any) -> None:
    far()
    parts = (FilePart("file", "rows.jsonl", "application/jsonl", b'{"n": 1}', 8),)
    running.run(installation(), Asked("POST", "/files", form=(("purpose", "batch"),), files=parts), "omar")
    assert "purpose: batch" in Body.objects.get(attempt=0).text
