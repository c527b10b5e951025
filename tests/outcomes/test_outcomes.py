"""Calls that were sent and not answered: OpenAI is asked what became of them, and a person decides about the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.test import Client as Browser
from django.utils import timezone

from logs.audit import Actor
from logs.models import AuditEntry, Body, Call
from outcomes import tasks
from outcomes.actions import Refusal, settle
from outcomes.models import Settlement, unknown_calls
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)
OMAR = Actor("omar")
ASKED = {"model": "gpt-6-luna", "input": "Hello"}
BATCH = {"input_file_id": "file-1", "endpoint": "/v1/responses", "completion_window": "24h"}


@pytest.fixture(autouse=True)
def line(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was put in line; a test does it itself with `work`."""
    queued: list[Any] = []
    for name in ("reconcile", "send_again"):
        done = getattr(tasks, name).func
        stand_in = type("Line", (), {"enqueue": staticmethod(lambda key, done=done: queued.append((done, key)))})
        monkeypatch.setattr(tasks, name, stand_in)
    monkeypatch.setattr("outcomes.actions.send_again", tasks.send_again)
    return queued


def work(line: list[Any]) -> int:
    """Does what stands in line; says how much that was."""
    count = len(line)
    while line:
        done, key = line.pop(0)
        done(key)
    return count


def lost(asked: dict[str, Any] | None = None, ago: int = 20, **over: Any) -> Call:
    """A call of an installation that was sent some minutes ago and not answered."""
    installation = over.pop("installation", None) or builders.installation()
    made = timezone.now() - timedelta(minutes=ago)
    row = {
        "created_at": made,
        "sent_at": made,
        "finished_at": made + timedelta(seconds=30),
        "state": "unknown",
        "installation_id": installation.pk,
        "installation_name": installation.name,
        "operation": "create_response",
        "method": "POST",
        "path": "/responses",
        "error_message": "The connection broke before the answer was whole.",
        "correlation_id": "c0ffee",
        "cause": "proxy",
        "attempts": 1,
    }
    call = Call.objects.create(**{**row, **over})
    text = json.dumps(ASKED if asked is None else asked)
    headers = {"content-type": "application/json", "authorization": "[redacted: credential, 9 characters]"}
    Body.objects.create(
        call_id=call.pk, attempt=0, text=text, size=len(text), content_type="application/json", headers=headers
    )
    return call


def answering(far_side: Any, answer: Callable[[httpx.Request], Any], status: int = 200) -> list[httpx.Request]:
    seen: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, json=answer(request))

    far_side(reply)
    return seen


def response(status: str, **over: Any) -> Callable[[httpx.Request], Any]:
    return lambda request: {"id": "resp_1", "object": "response", "status": status, **over}


def batches(*rows: dict[str, Any], ago: int = 20) -> Callable[[httpx.Request], Any]:
    created = int((timezone.now() - timedelta(minutes=ago)).timestamp()) + 2
    found = [{"object": "batch", "created_at": created, "metadata": {}, **BATCH, **row} for row in rows]
    return lambda request: {"object": "list", "data": found, "has_more": False}


def asked_of_openai(call: Call, line: list[Any]) -> Settlement:
    tasks.ask_due()
    work(line)
    return Settlement.objects.get(call_id=call.pk)


def test_a_response_whose_stream_broke_is_asked_for_by_its_id(far_side: Any, line: list[Any]) -> None:
    call = lost(object_id="resp_1")
    seen = answering(far_side, response("completed", usage={"total_tokens": 1234}))
    found = asked_of_openai(call, line)
    assert [request.url.path for request in seen] == ["/v1/responses/resp_1"]
    assert (found.decision, found.by) == ("done", "Patchbay")
    assert found.note == "OpenAI has resp_1 as completed, 1,234 tokens."
    assert not unknown_calls().exists() and unknown_calls(settled=True).get() == call
    asking = Call.objects.get(cause="reconciliation")
    assert (asking.cause_id, asking.correlation_id, asking.actor) == (str(call.pk), "c0ffee", "Patchbay")
    assert AuditEntry.objects.get().action == "marked as carried out"


USAGE = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 400},
    "output_tokens": 200,
    "output_tokens_details": {"reasoning_tokens": 60},
    "total_tokens": 1200,
}


def test_what_openai_counted_is_added_to_a_row_that_has_none(
    far_side: Any, line: list[Any], as_viewer: Browser
) -> None:
    call = lost(object_id="resp_1")
    answering(far_side, response("completed", model="gpt-5-mini-2025-08-07", usage=USAGE))
    asked_of_openai(call, line)
    call.refresh_from_db()
    assert (call.input_tokens, call.cached_tokens, call.output_tokens, call.reasoning_tokens, call.total_tokens) == (
        *(1000, 400, 200, 60, 1200),
    )
    assert (call.state, call.model) == ("unknown", "gpt-5-mini-2025-08-07")
    assert call.cost and "genai-prices" in call.price_basis
    assert not Call.objects.get(cause="reconciliation").total_tokens, "Asking used nothing."
    assert "1,200" in as_viewer.get(f"/log/{call.pk}/").content.decode()


def test_what_the_stream_had_told_before_it_broke_stays(far_side: Any, line: list[Any]) -> None:
    call = lost(object_id="resp_1", model="gpt-6-luna", total_tokens=7)
    answering(far_side, response("completed", usage=USAGE))
    asked_of_openai(call, line)
    call.refresh_from_db()
    assert (call.total_tokens, call.input_tokens, call.cost, call.model) == (7, None, None, "gpt-6-luna")


@pytest.mark.parametrize("used", [{}, {"usage": None}, {"usage": {"total_tokens": "many"}}])
def test_an_answer_that_counts_nothing_changes_nothing(far_side: Any, line: list[Any], used: dict[str, Any]) -> None:
    call = lost(object_id="resp_1")
    answering(far_side, response("cancelled", **used))
    assert asked_of_openai(call, line).decision == "not_done"
    call.refresh_from_db()
    assert (call.total_tokens, call.cost, call.price_basis) == (None, None, "")


@pytest.mark.parametrize(
    ("answer", "decision", "words"),
    [
        (response("incomplete"), "done", "as incomplete"),
        (response("cancelled"), "not_done", "as cancelled"),
        (response("failed", error={"code": "server_error", "message": "It broke"}), "not_done", "It broke"),
    ],
)
def test_what_openai_says_of_a_response_decides(far_side: Any, line: list[Any], answer: Any, decision: str, words: str):
    answering(far_side, answer)
    found = asked_of_openai(lost(object_id="resp_1"), line)
    assert found.decision == decision and words in found.note


def test_a_response_that_is_not_finished_is_asked_for_again_later_by_one_process(
    far_side: Any, line: list[Any]
) -> None:
    call = lost(object_id="resp_1")
    seen = answering(far_side, response("in_progress"))
    found = asked_of_openai(call, line)
    assert (found.decision, found.note) == ("", "OpenAI is still working on resp_1.")
    tasks.ask_due()
    assert not line, "Its pause is not over."
    Settlement.objects.update(look_at=timezone.now())
    tasks.ask_due()
    tasks.ask_due()
    assert work(line) == 1 and len(seen) == 2


def test_what_openai_does_not_keep_is_left_to_a_person_and_not_asked_for_again(far_side: Any, line: list[Any]) -> None:
    call = lost(object_id="resp_1")
    error = {"error": {"message": "Response not found", "type": "invalid_request_error", "param": None, "code": None}}
    answering(far_side, lambda request: error, status=404)
    found = asked_of_openai(call, line)
    assert (found.decision, found.look_at) == ("", None) and "does not keep resp_1" in found.note
    tasks.ask_due()
    assert not line and unknown_calls().get() == call


def test_without_an_id_openai_is_not_asked(far_side: Any, line: list[Any]) -> None:
    seen = answering(far_side, response("completed"))
    found = asked_of_openai(lost(), line)
    assert seen == [] and found.look_at is None and "had not told" in found.note


def test_what_can_not_be_asked_about_does_not_keep_out_what_can(
    far_side: Any, line: list[Any], monkeypatch: Any
) -> None:
    monkeypatch.setattr(tasks, "MOST", 2)
    old = lost(ago=30, object_id="resp_1")
    for _ in range(2):
        lost(installation=builders.Installation.objects.get())
    answering(far_side, response("completed"))
    for _ in range(2):
        tasks.ask_due()
        work(line)
    assert Settlement.objects.get(call_id=old.pk).decision == "done"


def test_a_batch_is_known_by_its_file_endpoint_and_metadata(far_side: Any, line: list[Any]) -> None:
    call = lost({**BATCH, "metadata": {"shop": "2"}}, operation="create_batch", path="/batches")
    other = {"id": "batch_other"}
    answering(far_side, batches(other, {"id": "batch_mine", "metadata": {"shop": "2"}}))
    found = asked_of_openai(call, line)
    assert (found.decision, found.note) == ("done", "OpenAI has made the batch batch_mine.")


def test_a_batch_that_another_call_made_is_not_taken_for_it(far_side: Any, line: list[Any]) -> None:
    call = lost(BATCH, operation="create_batch", path="/batches")
    Call.objects.filter(pk=lost(installation=builders.Installation.objects.get()).pk).update(
        state="done", operation="create_batch", object_id="batch_1"
    )
    answering(far_side, batches({"id": "batch_1"}))
    assert asked_of_openai(call, line).decision == "not_done"


def test_a_batch_that_is_not_there_was_not_made_once_it_must_be_listed(far_side: Any, line: list[Any]) -> None:
    call = lost(BATCH, ago=2, operation="create_batch", path="/batches")
    answering(far_side, batches({"id": "batch_old"}, ago=60))
    assert asked_of_openai(call, line).decision == ""
    long_ago = timezone.now() - timedelta(minutes=20)
    Call.objects.filter(pk=call.pk).update(created_at=long_ago, finished_at=long_ago)
    Settlement.objects.update(look_at=timezone.now())
    assert asked_of_openai(call, line).decision == "not_done"


def test_two_batches_that_it_may_be_are_left_to_a_person(far_side: Any, line: list[Any]) -> None:
    call = lost(BATCH, operation="create_batch", path="/batches")
    answering(far_side, batches({"id": "batch_1"}, {"id": "batch_2"}))
    found = asked_of_openai(call, line)
    assert found.decision == "" and "batch_1, batch_2" in found.note and found.look_at is None


def test_an_openai_that_fails_is_asked_again(far_side: Any, line: list[Any]) -> None:
    call = lost(object_id="resp_1")
    error = {"error": {"message": "Incorrect API key", "type": "x", "param": None, "code": "invalid_api_key"}}
    answering(far_side, lambda request: error, status=401)
    found = asked_of_openai(call, line)
    assert found.decision == "" and found.look_at is not None


def test_operators_see_how_many_wait_and_decide_about_several_at_once(as_operator: Browser) -> None:
    installation = builders.installation()
    calls = [lost(installation=installation) for _ in range(3)]
    lost(installation=installation, cause="run item")
    page = as_operator.get("/log/unknown/").content.decode()
    assert '<span class="count">3<span class="vh"> to be decided</span></span>' in page
    assert page.count('name="call"') == 3, "Records of runs are decided with their run."
    posted = {"decision": "not_done", "call": [str(call.pk) for call in calls[:2]]}
    page = as_operator.post("/log/unknown/decide/", posted, follow=True).content.decode()
    assert "2 calls were marked as not carried out." in page and page.count('name="call"') == 1
    assert set(AuditEntry.objects.values_list("actor_name", "action")) == {("omar", "marked as not carried out")}
    decided = as_operator.get("/log/unknown/?show=decided").content.decode()
    assert decided.count("Was not carried out") == 2 and "by omar" in decided
    assert {call.state for call in Call.objects.all()} == {"unknown"}, "The log stays as it was written."


def test_viewers_look_and_do_not_decide(as_viewer: Browser) -> None:
    call = lost()
    for address in ("/log/unknown/", f"/log/unknown/{call.pk}/"):
        page = as_viewer.get(address).content.decode()
        assert "The connection broke" in page and 'name="decision"' not in page
    assert as_viewer.post("/log/unknown/decide/", {"decision": "done", "call": str(call.pk)}).status_code == 403
    assert f'href="/log/unknown/{call.pk}/"' in as_viewer.get(f"/log/{call.pk}/").content.decode()


def test_the_first_decision_counts() -> None:
    call = lost()
    assert settle(OMAR, call, "done") is True
    assert settle(OMAR, call, "again") is False
    assert Settlement.objects.get().decision == "done"


@pytest.mark.parametrize(
    "posted", [{}, {"decision": "maybe"}, {"decision": ""}, {"decision": "done", "call": "nonsense"}]
)
def test_nonsense_decides_nothing(as_operator: Browser, posted: dict[str, str]) -> None:
    call = lost()
    assert as_operator.post("/log/unknown/decide/", {"call": str(call.pk), **posted}, follow=True).status_code == 200
    assert not Settlement.objects.exclude(decision="").exists()


def test_a_call_that_was_answered_has_nothing_to_decide(as_operator: Browser) -> None:
    call = lost()
    Call.objects.update(state="done")
    call.refresh_from_db()
    assert settle(OMAR, call, "done") is False
    assert as_operator.get(f"/log/unknown/{call.pk}/").status_code == 404


def test_it_is_sent_again_as_it_was_and_once_however_often_the_task_runs(
    far_side: Any, line: list[Any], as_operator: Browser
) -> None:
    call = lost()
    seen = answering(far_side, response("completed"))
    as_operator.post("/log/unknown/decide/", {"decision": "again", "call": str(call.pk)})
    line *= 2
    assert work(line) == 2
    (request,) = seen
    assert (request.method, request.url.path, json.loads(request.content)) == ("POST", "/v1/responses", ASKED)
    assert request.headers["authorization"] == f"Bearer {builders.API_KEY}"
    sent = Call.objects.get(cause="sent again")
    assert (sent.state, sent.cause_id, sent.correlation_id, sent.actor) == ("done", str(call.pk), "c0ffee", "omar")
    page = as_operator.get(f"/log/unknown/{call.pk}/").content.decode()
    assert "Sent again" in page and f"/log/{sent.pk}/" in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"truncated": True}, "does not hold the whole request"),
        ({"content_type": "multipart/form-data"}, "does not hold the whole request"),
        ({"text": '{"api_key": "[redacted: secret, 9 characters]"}'}, "held a secret"),
    ],
)
def test_what_the_log_does_not_hold_is_not_sent_again(as_operator: Browser, change: dict[str, Any], words: str) -> None:
    call = lost()
    Body.objects.update(**change)
    with pytest.raises(Refusal, match=words):
        settle(OMAR, call, "again")
    page = as_operator.get(f"/log/unknown/{call.pk}/").content.decode()
    assert words in page and 'value="again"' not in page
    posted = {"decision": "again", "call": str(call.pk)}
    assert words in as_operator.post("/log/unknown/decide/", posted, follow=True).content.decode()
    assert not Settlement.objects.exclude(decision="").exists()
