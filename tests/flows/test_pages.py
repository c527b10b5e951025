"""The pages of records and runs: what they show, and who may do what on them."""

from __future__ import annotations

import httpx
import pytest

from flows.engine import execute
from flows.models import Item, Record, Run
from flows.progress import progress_of
from flows.samples import load_samples
from tests.flows.builders import product, push, ready_installation

pytestmark = pytest.mark.django_db(transaction=True)


def push_form(run_installation, **over):
    return {"entity": "Product", "which": "keys", "installation": run_installation.pk, "mode": "sync", **over}


def test_chosen_records_are_pushed_from_the_list(as_operator):
    installation = ready_installation()
    load_samples(installation, "")
    page = as_operator.get("/records/?entity=Product").content.decode()
    assert "PB-100" in page
    assert "Push selected" in page
    answer = as_operator.post("/runs/new/", push_form(installation, record=["PB-100", "PB-102"]))
    run = Run.objects.get()
    assert answer.url == f"/runs/{run.pk}/"
    assert sorted(run.items.values_list("record__key", flat=True)) == ["PB-100", "PB-102"]


def test_all_records_are_pushed_from_the_list(as_operator):
    installation = ready_installation()
    load_samples(installation, "")
    as_operator.post("/runs/new/", push_form(installation, which="all"))
    assert Run.objects.get().total == 5


def test_an_unknown_key_is_named_beside_the_field_and_what_was_typed_stays(as_operator):
    installation = ready_installation()
    answer = as_operator.post("/runs/new/", push_form(installation, keys="P-9"))
    page = answer.content.decode()
    assert "No Product has the key P-9" in page
    assert ">\nP-9</textarea>" in page


def test_a_push_that_cannot_start_says_why(as_operator):
    installation = ready_installation(default_mappings=False)
    product()
    answer = as_operator.post("/runs/new/", push_form(installation, which="all"))
    assert "no active mapping" in answer.content.decode()


def test_a_run_page_asks_again_until_the_run_has_ended(as_viewer, openai):
    run = push()
    page = as_viewer.get(f"/runs/{run.pk}/").content.decode()
    assert f'hx-get="/runs/{run.pk}/progress/"' in page
    assert as_viewer.get(f"/runs/{run.pk}/progress/").status_code == 200
    execute(run.pk)
    for part in ("progress", "items"):
        answer = as_viewer.get(f"/runs/{run.pk}/{part}/")
        assert answer.status_code == 286
        assert "hx-get" not in answer.content.decode()
    item = run.items.get()
    assert f"/log/{item.call_id}/" in as_viewer.get(f"/runs/{run.pk}/").content.decode()


def test_a_failed_record_shows_its_sentence_and_can_be_retried(as_operator, openai):
    openai.answer = lambda request, number: httpx.Response(
        400, json={"error": {"message": "Too odd.", "type": "invalid_request_error"}}
    )
    run = push()
    execute(run.pk)
    page = as_operator.get(f"/runs/{run.pk}/").content.decode()
    assert "Too odd" in page
    as_operator.post(f"/runs/{run.pk}/retry/")
    openai.answer = openai.complete
    execute(run.pk)
    run.refresh_from_db()
    assert run.state == "done"


def test_an_unknown_outcome_is_decided_on_the_page(as_operator, openai):
    def broken(request: httpx.Request, number: int) -> httpx.Response:
        raise httpx.ReadError("cut", request=request)

    openai.answer = broken
    run = push()
    execute(run.pk)
    item = run.items.get()
    assert "may be paid twice" in as_operator.get(f"/runs/{run.pk}/").content.decode()
    as_operator.post(f"/runs/items/{item.pk}/decide/", {"decision": "again"})
    openai.answer = openai.complete
    execute(run.pk)
    item.refresh_from_db()
    assert item.state == "done"


def test_all_unknown_outcomes_are_decided_at_once(as_operator, openai):
    def broken(request: httpx.Request, number: int) -> httpx.Response:
        raise httpx.ReadError("cut", request=request)

    openai.answer = broken
    run = push([product("P-1"), product("P-2")])
    execute(run.pk)
    assert "<strong>2 records need a decision.</strong>" in as_operator.get(f"/runs/{run.pk}/").content.decode()
    as_operator.post(f"/runs/{run.pk}/decide/", {"decision": "again"})
    execute(run.pk)
    assert len(openai.asked()) == 4
    assert progress_of(run).calls == 4
    as_operator.post(f"/runs/{run.pk}/decide/", {"decision": "fail"})
    run.refresh_from_db()
    assert (run.state, run.failed, run.unknown) == ("failures", 2, 0)
    page = as_operator.post(f"/runs/{run.pk}/decide/", {"decision": "again"}, follow=True).content.decode()
    assert "No record of unknown outcome is left." in page
    assert "need a decision" not in page


def test_the_figures_of_a_run_follow_its_records_while_it_runs(as_viewer):
    run = push([product("P-1"), product("P-2")])
    Item.objects.filter(record__key="P-1").update(state="done")
    assert "Done <b>1</b>" in as_viewer.get(f"/runs/{run.pk}/progress/").content.decode()


def test_a_cancelled_run_sends_nothing_more(as_operator, openai):
    run = push()
    as_operator.post(f"/runs/{run.pk}/cancel/")
    execute(run.pk)
    run.refresh_from_db()
    assert (run.state, len(openai.requests)) == ("cancelled", 0)


def test_a_record_shows_what_an_answer_changed_and_leads_to_the_call(as_viewer, openai):
    run = push()
    execute(run.pk)
    item = run.items.get()
    page = as_viewer.get(f"/records/{item.record_id}/").content.decode()
    assert "custom.OpenAI Response Text" in page
    assert f"/log/{item.call_id}/" in page


def test_a_record_is_added_and_edited_by_its_fields(as_operator):
    as_operator.post("/records/new/?entity=Product", {"key": "P-7", "f0": "Bench"})
    record = Record.objects.get(key="P-7")
    assert (record.title, record.fields) == ("Bench", {"name": "Bench"})
    as_operator.post(f"/records/{record.pk}/edit/", {"f0": "Long bench"})
    record.refresh_from_db()
    assert (record.title, record.version) == ("Long bench", 2)
    assert "is there already" in as_operator.post("/records/new/?entity=Product", {"key": "P-7"}).content.decode()


def test_markup_in_a_record_is_shown_as_text(as_viewer):
    record = product("P-1", name="<script>alert(1)</script>")
    for address in ("/records/", f"/records/{record.pk}/"):
        assert "<script>alert" not in as_viewer.get(address).content.decode()


def test_a_viewer_reads_and_may_not_run(as_viewer):
    run = push()
    for address in ("/records/", "/runs/", f"/runs/{run.pk}/", f"/records/{run.items.get().record_id}/"):
        page = as_viewer.get(address)
        assert page.status_code == 200
        assert "Push" not in page.content.decode().partition("<main")[2].replace("Push of", "")
    for address in ("/runs/new/", "/runs/pull/", "/records/new/", f"/runs/{run.pk}/cancel/", f"/runs/{run.pk}/retry/"):
        assert as_viewer.post(address).status_code == 403


def test_nobody_is_sent_to_sign_in(client):
    assert client.get("/records/").status_code == 302
    assert client.get("/runs/").status_code == 302


def refusing(request: httpx.Request, number: int) -> httpx.Response:
    return httpx.Response(401, json={"error": {"message": "Incorrect API key.", "code": "invalid_api_key"}})


def test_a_pull_that_failed_says_why_and_is_pulled_again(as_operator, openai):
    installation = ready_installation()
    openai.answer = refusing
    as_operator.post("/runs/pull/", {"installation": installation.pk, "source": "models"})
    run = Run.objects.get()
    execute(run.pk)
    page = as_operator.get(f"/runs/{run.pk}/").content.decode()
    for words in ("This run was stopped.", "Incorrect API key", "PB-1001", "Nothing came", "Pull again"):
        assert words in page
    as_operator.post("/runs/pull/", {"installation": run.installation_id, "source": run.source})
    assert Run.objects.count() == 2


def test_a_pull_shows_what_came_while_it_runs_and_takes_the_cancel_button_away_at_its_end(as_operator, openai):
    rows = [{"id": "gpt-6-luna", "object": "model", "created": 1}]
    openai.answer = lambda request, number: httpx.Response(200, json={"object": "list", "data": rows})
    as_operator.post("/runs/pull/", {"installation": ready_installation().pk, "source": "models"})
    run = Run.objects.get()
    page = as_operator.get(f"/runs/{run.pk}/").content.decode()
    assert f'hx-get="/runs/{run.pk}/items/"' in page and 'popovertarget="cancel"' in page
    execute(run.pk)
    ended = as_operator.get(f"/runs/{run.pk}/items/")
    assert ended.status_code == 286 and b"gpt-6-luna" in ended.content
    progress = as_operator.get(f"/runs/{run.pk}/progress/").content.decode()
    assert 'hx-swap-oob="true"' in progress and 'popovertarget="cancel"' not in progress


def test_a_record_whose_last_push_failed_says_why_and_offers_to_push_it_again(as_operator, openai):
    openai.answer = refusing
    run = push()
    execute(run.pk)
    page = as_operator.get(f"/records/{run.items.get().record_id}/").content.decode()
    assert "The last run failed." in page and "Incorrect API key" in page and "Push again" in page


def test_a_record_whose_last_push_is_unknown_is_decided_on_its_page(as_operator, openai):
    def broken(request: httpx.Request, number: int) -> httpx.Response:
        raise httpx.ReadError("cut", request=request)

    openai.answer = broken
    run = push()
    execute(run.pk)
    item = run.items.get()
    assert "1 record needs a decision" in as_operator.get(f"/runs/{run.pk}/").content.decode()
    page = as_operator.get(f"/records/{item.record_id}/").content.decode()
    assert f"/runs/items/{item.pk}/decide/" in page
