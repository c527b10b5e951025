"""Records: one way to write them, a history of what changed, flows that wait for changes, pulls that compare."""

from __future__ import annotations

import json
from io import StringIO

import httpx
import pytest
from django.core.management import CommandError, call_command

from flows.actions import add_flow, pull_now, save_record
from flows.engine import execute
from flows.models import Record, RecordChange, Run
from flows.samples import load_samples
from mappings.models import Mapping
from tests.flows.builders import OMAR, product, ready_installation

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_change_keeps_what_it_replaced_and_the_same_again_is_no_change():
    product("P-1", price="1")
    record, changed = save_record(OMAR, "Product", "P-1", {"price": "2"})
    assert (changed, record.version) == (True, 2)
    change = RecordChange.objects.get(cause="edit")
    assert (change.before, change.after) == ({"fields.price": "1"}, {"fields.price": "2"})
    assert save_record(OMAR, "Product", "P-1", {"price": "2"})[1] is False
    assert RecordChange.objects.count() == 2


def test_samples_are_loaded_once_and_leave_changes_alone():
    installation = ready_installation()
    load_samples(installation, "")
    save_record(OMAR, "Product", "PB-100", {"name": "Mine"})
    load_samples(installation, "")
    assert (Record.objects.of("Product").count(), Record.objects.of("Customer").count()) == (5, 5)
    assert Record.objects.get(key="PB-100").title == "Mine"


@pytest.fixture
def watching():
    installation = ready_installation()
    mapping = Mapping.objects.for_push(installation, "Product").get()
    return add_flow(OMAR, installation, mapping)


def test_a_change_starts_a_push_and_its_answer_does_not(watching, openai):
    record, _ = save_record(OMAR, "Product", "P-1", {"name": "Bench"})
    run = Run.objects.get()
    assert (run.flow, run.items.get().record) == (watching, record)
    execute(run.pk)
    assert "OpenAI Response Text" in Record.objects.get().custom
    assert (Run.objects.count(), len(openai.requests)) == (1, 1)


@pytest.mark.parametrize("cause", ["answer", "event", "pull", "sample"])
def test_what_came_from_openai_starts_nothing(watching, cause):
    save_record(OMAR, "Product", "P-1", {"name": "Bench"}, cause=cause)
    assert not Run.objects.exists()


def test_a_flow_for_samples_leaves_other_records_alone(watching):
    watching.sample_only = True
    watching.save()
    save_record(OMAR, "Product", "P-1", {"name": "Bench"})
    assert not Run.objects.exists()
    save_record(OMAR, "Product", "P-2", {"name": "Bench"}, sample=True)
    assert Run.objects.count() == 1


def models(*names: str) -> httpx.Response:
    data = [{"id": name, "object": "model", "created": 1, "owned_by": "openai"} for name in names]
    return httpx.Response(200, json={"object": "list", "data": data})


def test_a_pull_finds_additions_and_deletions_and_leaves_the_rest(openai):
    installation = ready_installation()
    openai.answer = lambda request, number: models("a", "b")
    run = pull_now(OMAR, installation, "models")
    assert (run.state, run.total, run.done, run.skipped) == ("done", 2, 2, 0)
    openai.answer = lambda request, number: models("b", "c")
    run = pull_now(OMAR, installation, "models")
    assert (run.state, run.total, run.done, run.skipped) == ("done", 3, 2, 1)
    assert Record.objects.get(key="a").custom["deleted"] is True
    assert Record.objects.get(key="b").version == 1


def test_files_are_pulled_page_by_page(openai):
    def paged(request: httpx.Request, number: int) -> httpx.Response:
        after = request.url.params.get("after")
        data = [{"id": "file_2" if after else "file_1", "filename": "x.jsonl", "purpose": "batch", "bytes": 3}]
        return httpx.Response(200, json={"object": "list", "data": data, "has_more": not after})

    openai.answer = paged
    run = pull_now(OMAR, ready_installation(), "files")
    assert (run.done, sorted(Record.objects.values_list("key", flat=True))) == (2, ["file_1", "file_2"])


def test_a_pull_that_is_refused_ends_with_the_sentence(openai):
    openai.answer = lambda request, number: httpx.Response(
        401, json={"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}}
    )
    run = pull_now(OMAR, ready_installation(), "models")
    assert run.state == "failures"
    assert run.note


def test_the_push_command_works_without_a_worker_and_prints_the_end(openai, monkeypatch):
    monkeypatch.setattr("flows.management.commands.push.SILENT", -1)
    monkeypatch.setattr("flows.management.commands.push.LOOK_EVERY", 0)
    installation = ready_installation()
    product("P-1")
    out = StringIO()
    call_command("push", installation.name, "--entity", "Product", "--all", stdout=out)
    end = json.loads(out.getvalue())
    assert (end["state"], end["done"], end["total"]) == ("done", 1, 1)


def test_the_push_command_says_what_is_missing(openai):
    installation = ready_installation()
    with pytest.raises(CommandError, match="no installation"):
        call_command("push", "Nowhere", "--entity", "Product", "--all")
    with pytest.raises(CommandError, match="has the key P-9"):
        call_command("push", installation.name, "--entity", "Product", "--keys", "P-9")
