"""A run keeps to what its mappings said when it was started, and all that comes of it names those versions."""

from __future__ import annotations

import httpx
import pytest

from flows.actions import retry_failed
from flows.engine import execute
from flows.items import send
from flows.models import RecordChange, Run
from flows.session import Session
from logs.models import Call
from mappings import actions
from mappings.models import Mapping, MappingVersion, Rule
from tests.flows.builders import OMAR, product, push, ready_installation, response

pytestmark = pytest.mark.django_db(transaction=True)


def changed(name: str, rule: str, **values: object) -> None:
    """What an administrator does in the editor meanwhile."""
    actions.save_rule(OMAR, Mapping.objects.get(name=name).rules.get(target=rule), values)


def test_an_edit_in_the_middle_changes_nothing_of_a_running_run(openai, monkeypatch):
    """One record is done when both mappings are edited; the second one is sent and written as the first."""

    def send_and_edit(session: Session, item_id: int) -> None:
        send(session, item_id)
        if len(openai.requests) == 1:
            changed("Product to Create response", "store", source="false")
            changed("Create response to Product", "custom.OpenAI Response Text", target="custom.Other")

    monkeypatch.setattr("flows.engine.send", send_and_edit)
    installation = ready_installation(concurrent_connections=1)
    run = push([product("P-1"), product("P-2")], installation)
    execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.done, str(run.version)) == ("done", 2, "Product to Create response, version 1")
    assert [body["store"] for body in openai.asked()] == [True, True]
    for item in run.items.select_related("record"):
        assert item.record.custom["OpenAI Response Text"] and "Other" not in item.record.custom
    assert {change.made_by[0][1] for change in RecordChange.objects.filter(cause="answer")} == {
        "Create response to Product, version 1"
    }
    later = push([product("P-3")], installation)
    execute(later.pk)
    assert openai.asked()[-1]["store"] is False
    assert later.items.get().record.custom["Other"] and later.version.number == 2


def test_a_run_in_line_is_not_changed_either_nor_by_what_is_switched_off_or_deleted(openai):
    run = push()
    Mapping.objects.filter(direction="to_hub").update(active=False)
    actions.delete_mapping(OMAR, run.mapping)
    execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.mapping, run.done) == ("done", None, 1)
    assert run.items.get().record.custom["OpenAI Response Text"] == "A fine thing."


def test_a_run_asks_for_the_values_that_its_own_versions_read(openai):
    installation = ready_installation()
    back = Mapping.objects.get(name="Create response to Product")
    actions.save_rule(OMAR, Rule(mapping=back), {"kind": "field", "target": "custom.title", "source": "answer.title"})
    run = push([product()], installation)
    actions.delete_rule(OMAR, back.rules.get(target="custom.title"))
    openai.answer = lambda request, number: httpx.Response(200, json=response(number, text='{"title": "Oak"}'))
    execute(run.pk)
    assert list(openai.asked()[0]["text"]["format"]["schema"]["properties"]) == ["title"]
    assert run.items.get().record.custom["title"] == "Oak"


def test_what_failed_is_repeated_by_the_version_that_the_run_began_with_and_the_page_says_so(openai, as_operator):
    installation = ready_installation()
    changed("Product to Create response", "input", kind="field", source="fields.missing")
    run = push([product()], installation)
    execute(run.pk)
    changed("Product to Create response", "input", source="fields.name")
    page = as_operator.get(run.get_absolute_url()).content.decode()
    assert "This run keeps to version 2, and the mapping is at version 3 now" in page
    retry_failed(OMAR, run)
    execute(run.pk)
    assert Run.objects.get(pk=run.pk).failed == 1 and openai.requests == []


def test_calls_changes_and_runs_lead_to_the_version(openai, as_viewer):
    run = push()
    execute(run.pk)
    version, back = run.version, MappingVersion.objects.get(mapping_name="Create response to Product")
    call = Call.objects.get()
    assert version.get_absolute_url() in as_viewer.get(f"/log/{call.pk}/").content.decode()
    assert version.get_absolute_url() in as_viewer.get(run.get_absolute_url()).content.decode()
    record = run.items.get().record
    assert back.get_absolute_url() in as_viewer.get(record.get_absolute_url()).content.decode()
    assert str(call.pk) in as_viewer.get(f"/log/?tag={version.tag}").content.decode()
