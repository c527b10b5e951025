"""Presets with records of the hub: run with one by hand, and sent by flows."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from django.test import Client as Browser

from flows.actions import add_flow, save_record
from flows.engine import execute
from flows.models import Flow, Record, Run
from logs.models import Call
from mappings.models import Mapping
from operations.models import Preset, PresetVersion
from tests import builders as rows
from tests.flows.builders import OMAR, FarSide, mapping, product, ready_installation
from tests.operations.builders import said
from tests.operations.presets import PROMPT, newest, saved, saved_raw

pytestmark = pytest.mark.django_db(transaction=True)


def preset_of(version: PresetVersion) -> Preset:
    return Preset.objects.get(pk=version.preset_id)


def record_page(browser: Browser, version: PresetVersion, record: Record) -> Any:
    return browser.get(f"/operations/presets/{version.preset_id}/record/?record={record.pk}")


def send(browser: Browser, version: PresetVersion, record: Record | None) -> Any:
    posted = {"record": record.pk if record else "x", "version": version.pk}
    return browser.post(f"/operations/presets/{version.preset_id}/record/run/", posted)


def test_a_person_fills_saves_changes_compares_rolls_back_and_runs_with_a_record(
    as_operator: Browser, openai: FarSide
) -> None:
    """The whole way of a preset."""
    here, record = ready_installation(), product(name="Oak table")
    first = saved(as_operator, here, "Describe", **{"body/input": PROMPT, "preset-note": "First try"})
    second = saved(as_operator, here, "Describe", preset=str(first.pk), **{"body/input": "Sell {{ fields.name }}."})
    html = as_operator.get(second.get_absolute_url()).content.decode()
    assert "<del>Describe</del>" in html and "<ins>Sell</ins>" in html
    as_operator.post(f"/operations/presets/versions/{first.pk}/roll-back/")
    third = newest()
    assert "Describe Oak table in one sentence." in said(record_page(as_operator, third, record))
    assert send(as_operator, third, record).status_code == 302
    assert openai.asked() == [{"model": "gpt-6-luna", "input": "Describe Oak table in one sentence."}]
    call = Call.objects.get()
    assert (call.cause_id, call.cause_label) == (str(third.pk), "Describe, version 3")
    assert third.get_absolute_url() in as_operator.get(f"/log/{call.pk}/").content.decode()


def test_the_record_is_found_by_entity_and_words(as_viewer: Browser, as_operator: Browser) -> None:
    version = saved(as_operator, ready_installation(), **{"body/input": PROMPT})
    product("P-1", name="Oak table"), product("P-2", name="Wool throw")
    address = f"/operations/presets/{version.preset_id}/record/"
    words = said(as_viewer.get(f"{address}?entity=Product&q=wool"))
    assert "Wool throw" in words and "Oak table" not in words
    assert "No record found" in said(as_viewer.get(f"{address}?entity=Customer"))


def test_formulas_of_mappings_stand_in_places(as_operator: Browser, openai: FarSide) -> None:
    text = '{{ $uppercase(fields.name) & " (" & key & ", " & entity & ")" }} for {{ $number(fields.price) * 2 }}'
    version = saved(as_operator, ready_installation(), **{"body/input": text})
    send(as_operator, version, product(name="Oak table", price="64.50"))
    assert openai.asked()[0]["input"] == "OAK TABLE (P-1, Product) for 129"


def test_what_the_record_lacks_is_said_and_nothing_is_sent(as_operator: Browser, openai: FarSide) -> None:
    version = saved(as_operator, ready_installation(), **{"body/input": "{{ fields.brand }}: {{ $upper(key) }}"})
    words = said(send(as_operator, version, product()))
    assert "fields.brand in body input: This record gives it no value" in words
    assert "There is no function $upper" in words or "$upper" in words
    assert not openai.requests


def test_a_newer_version_is_shown_before_it_is_sent(as_operator: Browser, openai: FarSide) -> None:
    here, record = ready_installation(), product()
    first = saved(as_operator, here, **{"body/input": PROMPT})
    saved(as_operator, here, preset=str(first.pk), **{"body/input": "Sell {{ fields.name }}."})
    words = said(send(as_operator, first, record))
    assert "The preset has a version 2 now, by omar" in words and "Sell Thing P-1." in words
    assert not openai.requests


def test_a_viewer_sees_the_request_and_cannot_send_it(
    as_viewer: Browser, as_operator: Browser, openai: FarSide
) -> None:
    version, record = saved(as_operator, ready_installation(), **{"body/input": PROMPT}), product()
    page = record_page(as_viewer, version, record)
    assert "needs the role operator" in said(page) and send(as_viewer, version, record).status_code == 403
    assert "No record is chosen" in said(send(as_operator, version, None))
    assert not openai.requests


def test_a_record_makes_no_other_path_and_no_second_header(
    as_operator: Browser, as_administrator: Browser, openai: FarSide
) -> None:
    here = ready_installation()
    version = saved_raw(
        as_operator, here, method="GET", path="/{{ fields.name }}", header=[("X-Name", "{{ fields.note }}")]
    )
    words = said(record_page(as_operator, version, product("P-1", name="files/../x", note="ok")))
    assert "can't be passed on" in words
    assert "makes no request that can be sent" in said(
        record_page(as_operator, version, product("P-2", name="files", note="a\nX-Other: b"))
    )
    dangerous = saved_raw(as_operator, here, "Other", method="POST", path="/{{ fields.name }}", payload="{}")
    record = product("P-3", name="fine_tuning")
    assert send(as_operator, dangerous, record).status_code == 403
    assert "Yes, send POST /fine_tuning" in said(send(as_administrator, dangerous, record))
    assert not openai.requests


def test_a_flow_sends_the_preset_for_each_record_and_maps_the_answer_back(
    as_administrator: Browser, openai: FarSide
) -> None:
    here, record = ready_installation(), product(name="Oak table")
    version = saved(as_administrator, here, "Describe", **{"body/input": PROMPT})
    chosen = Mapping.objects.for_push(here, "Product").get()
    posted = {"mapping": chosen.pk, "trigger": "manual", "preset": version.preset_id}
    assert as_administrator.post("/flows/new/", posted).status_code == 302
    flow = Flow.objects.get()
    assert "sends preset Describe" in said(as_administrator.get("/flows/"))
    as_administrator.post(f"/flows/{flow.pk}/run/")
    run = Run.objects.get()
    saved(as_administrator, here, "Describe", preset=str(version.pk), **{"body/input": "Changed after the start."})
    execute(run.pk)
    assert openai.asked() == [{"model": "gpt-6-luna", "input": "Describe Oak table in one sentence."}]
    run.refresh_from_db()
    record.refresh_from_db()
    assert (run.state, run.preset, run.done) == ("done", version, 1) and "A fine thing." in str(record.custom)
    call = Call.objects.get()
    assert call.cause_label == f"Run {run.pk}, Product P-1: Describe, version 1"
    for address in (f"/log/{call.pk}/", f"/runs/{run.pk}/"):
        assert version.get_absolute_url() in as_administrator.get(address).content.decode(), address
    assert f"/log/{call.pk}/" in as_administrator.get("/operations/presets/").content.decode()


def test_another_operation_takes_the_answer_by_its_own_mapping(as_administrator: Browser, openai: FarSide) -> None:
    here, record = ready_installation(), product(name="Oak table")
    openai.answer = lambda request, number: httpx.Response(
        200, json={"id": "modr_1", "model": "m", "results": [{"flagged": False}]}
    )
    version = saved_raw(
        as_administrator, here, "Moderate", path="/moderations", payload='{"input": "{{ fields.name }}"}'
    )
    mapping(here, "Flags", "to_hub", "create_moderation", **{"custom.harmful": "response.results.0.flagged"})
    chosen = Mapping.objects.for_push(here, "Product").get()
    flow = add_flow(OMAR, here, chosen, preset=preset_of(version))
    save_record(OMAR, "Product", record.key, {"name": "Elm table"})
    run = Run.objects.get(flow=flow)
    execute(run.pk)
    record.refresh_from_db()
    assert record.custom["harmful"] is False and openai.asked()[0]["input"] == "Elm table"


def test_the_filter_of_the_mapping_still_says_which_records_are_sent(
    as_administrator: Browser, openai: FarSide
) -> None:
    here = ready_installation()
    product("P-1", name="Oak table"), product("P-2", name="Wool throw")
    version = saved(as_administrator, here, **{"body/input": PROMPT})
    chosen = Mapping.objects.for_push(here, "Product").get()
    Mapping.objects.filter(pk=chosen.pk).update(filter='$contains(fields.name, "Oak")')
    flow = add_flow(OMAR, here, chosen, "manual", preset=preset_of(version))
    as_administrator.post(f"/flows/{flow.pk}/run/")
    run = Run.objects.get()
    execute(run.pk)
    run.refresh_from_db()
    assert (run.done, run.skipped, len(openai.requests)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("over", "why"),
    [
        ({"path": "/files", "method": "GET"}, "A flow can send Create response"),
        ({"path": "/responses", "payload": '{"stream": true}'}, "It streams its answer"),
        ({"path": "/responses", "payload": "{}", "query": [("a", "1")]}, "query parameters or headers"),
        ({"path": "/responses", "form": [("a", "b")]}, "It has no JSON body"),
    ],
)
def test_what_a_flow_cannot_send_is_refused_with_the_reason(
    as_administrator: Browser, over: dict[str, Any], why: str
) -> None:
    here = ready_installation()
    version = saved_raw(as_administrator, here, **over)
    chosen = Mapping.objects.for_push(here, "Product").get()
    posted = {"mapping": chosen.pk, "trigger": "manual", "preset": version.preset_id}
    assert why in said(as_administrator.post("/flows/new/", posted)) and not Flow.objects.exists()


def test_a_flow_sends_presets_of_its_own_installation_only(as_administrator: Browser) -> None:
    here = ready_installation()
    other = rows.installation(name="OpenAI - Other", webhook_key="whk_other_canary_9876543210")
    version = saved(as_administrator, other)
    chosen = Mapping.objects.for_push(here, "Product").get()
    posted = {"mapping": chosen.pk, "trigger": "manual", "preset": version.preset_id}
    words = said(as_administrator.post("/flows/new/", posted))
    assert "It belongs to another installation" in words and not Flow.objects.exists()


def test_two_flows_of_a_mapping_may_send_different_presets(as_administrator: Browser) -> None:
    here = ready_installation()
    chosen = Mapping.objects.for_push(here, "Product").get()
    posted = {"mapping": chosen.pk, "trigger": "manual", "preset": saved(as_administrator, here).preset_id}
    as_administrator.post("/flows/new/", posted)
    assert "A flow does this already" in said(as_administrator.post("/flows/new/", posted))
    as_administrator.post("/flows/new/", posted | {"preset": ""})
    assert Flow.objects.count() == 2


def test_a_tag_of_a_program_is_no_link_to_a_preset(as_viewer: Browser) -> None:
    row = {"operation": "create_response", "method": "POST", "path": "/responses", "state": "done", "tags": "preset-7"}
    theirs = Call.objects.create(cause="proxy", correlation_id="c", **row)
    ours = Call.objects.create(cause="run item", correlation_id="c", **row)
    for call, linked in ((theirs, False), (ours, True)):
        assert ("Preset version" in said(as_viewer.get(f"/log/{call.pk}/"))) is linked


def test_a_preset_that_became_unfit_fails_its_items_with_the_reason(as_administrator: Browser, openai: FarSide) -> None:
    here, record = ready_installation(), product()
    version = saved_raw(as_administrator, here, path="/responses", payload='{"input": "Hi"}')
    flow = add_flow(OMAR, here, Mapping.objects.for_push(here, "Product").get(), preset=preset_of(version))
    saved_raw(as_administrator, here, path="/responses", payload='{"stream": true}', preset=str(version.pk))
    save_record(OMAR, "Product", record.key, {"name": "Changed"})
    run = Run.objects.get(flow=flow)
    execute(run.pk)
    assert "It streams its answer" in run.items.get().error and not openai.requests
    assert "It streams its answer" in said(as_administrator.post(f"/flows/{flow.pk}/run/", follow=True))


def test_a_preset_that_a_flow_uses_cannot_be_deleted(as_administrator: Browser) -> None:
    here = ready_installation()
    version = saved(as_administrator, here, "Describe")
    add_flow(OMAR, here, Mapping.objects.for_push(here, "Product").get(), preset=preset_of(version))
    words = said(as_administrator.post(f"/operations/presets/{version.preset_id}/delete/", follow=True))
    assert "Describe is used by" in words and "Remove that under Flows first" in words
    Flow.objects.all().delete()
    as_administrator.post(f"/operations/presets/{version.preset_id}/delete/")
    assert not Preset.objects.exists()


def test_a_flows_newest_call_stands_on_the_presets_page(as_administrator: Browser, openai: FarSide) -> None:
    here = ready_installation()
    product()
    version = saved(as_administrator, here, "Describe", **{"body/input": PROMPT})
    address = f"/operations/presets/{version.preset_id}/"
    assert "Not run by hand yet" in said(as_administrator.get(address))
    flow = add_flow(OMAR, here, Mapping.objects.for_push(here, "Product").get(), "manual", preset=preset_of(version))
    as_administrator.post(f"/flows/{flow.pk}/run/")
    execute(Run.objects.get().pk)
    html = as_administrator.get(address).content.decode()
    assert f"/log/{Call.objects.get().pk}/" in html and f"?tag={version.tag}" in html
    assert "Run 1" not in said(as_administrator.get("/log/?tag=preset-0"))
