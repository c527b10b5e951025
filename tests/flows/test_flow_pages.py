"""Flows: which mapping is put to work, by whom, and what it pushes."""

from __future__ import annotations

import pytest

from flows.actions import add_flow, save_record
from flows.models import Flow, Run
from logs.models import AuditEntry
from mappings.models import Mapping
from tests.flows.builders import OMAR, product, ready_installation

pytestmark = pytest.mark.django_db(transaction=True)


def flow(trigger="on_change", **over) -> Flow:
    installation = ready_installation()
    made = add_flow(OMAR, installation, Mapping.objects.for_push(installation, "Product").get(), trigger)
    Flow.objects.filter(pk=made.pk).update(**over)
    made.refresh_from_db()
    return made


def edit(key: str, **fields) -> None:
    save_record(OMAR, "Product", key, fields)


def test_an_administrator_puts_a_mapping_to_work_and_a_changed_record_is_pushed(as_administrator):
    installation = ready_installation()
    mapping = Mapping.objects.for_push(installation, "Product").get()
    assert "No flows yet" in as_administrator.get("/flows/").content.decode()
    answer = as_administrator.post("/flows/new/", {"mapping": mapping.pk, "trigger": "on_change"})
    assert answer.url == "/flows/"
    edit(product().key, name="Renamed")
    run = Run.objects.get()
    assert (run.flow, run.total) == (Flow.objects.get(), 1)
    page = as_administrator.get("/flows/").content.decode()
    for words in (mapping.name, "When a record changes", "On", f"/runs/{run.pk}/", f"/runs/?flow={run.flow_id}"):
        assert words in page


def test_a_flow_that_is_off_pushes_nothing_until_it_is_on_again(as_administrator):
    chosen, record = flow(), product()
    as_administrator.post(f"/flows/{chosen.pk}/switch/", {"active": "0"})
    edit(record.key, name="Once")
    assert not Run.objects.exists()
    as_administrator.post(f"/flows/{chosen.pk}/switch/", {"active": "1"})
    as_administrator.post(f"/flows/{chosen.pk}/switch/", {"active": "1"})
    edit(record.key, name="Twice")
    assert Run.objects.count() == 1
    told = AuditEntry.objects.filter(object_kind="flow").order_by("pk").values_list("action", flat=True)
    assert list(told) == ["added", "switched off", "switched on"]


def test_a_flow_whose_mapping_is_off_says_so_and_does_not_run(as_operator):
    chosen = flow("manual")
    product()
    Mapping.objects.update(active=False)
    assert "Mapping is off" in as_operator.get("/flows/").content.decode()
    page = as_operator.post(f"/flows/{chosen.pk}/run/", follow=True).content.decode()
    assert "Activate it under Mappings" in page
    assert not Run.objects.exists()


def test_an_operator_runs_a_flow_over_every_record_of_its_entity(as_operator):
    chosen = flow("manual")
    product("P-1"), product("P-2")
    assert "2 Product records will be sent" in as_operator.get("/flows/").content.decode()
    answer = as_operator.post(f"/flows/{chosen.pk}/run/")
    run = Run.objects.get()
    assert (answer.url, run.total, run.flow) == (f"/runs/{run.pk}/", 2, chosen)


@pytest.mark.parametrize(("over", "words"), [({"active": False}, "is off. Switch it on"), ({}, "no Product record")])
def test_a_flow_that_cannot_run_says_what_to_do(over, words, as_operator):
    page = as_operator.post(f"/flows/{flow('manual', **over).pk}/run/", follow=True).content.decode()
    assert words in page
    assert not Run.objects.exists()


def test_the_same_mapping_is_not_put_to_work_twice(as_administrator):
    chosen = flow()
    page = as_administrator.post("/flows/new/", {"mapping": chosen.mapping_id, "trigger": "on_change"}).content.decode()
    assert "A flow does this already" in page
    as_administrator.post("/flows/new/", {"mapping": chosen.mapping_id, "trigger": "manual"})
    assert Flow.objects.count() == 2


def test_only_mappings_from_the_hub_can_be_put_to_work(as_administrator):
    ready_installation()
    answering = Mapping.objects.filter(direction="to_hub").first()
    page = as_administrator.post("/flows/new/", {"mapping": answering.pk, "trigger": "manual"}).content.decode()
    assert "Choose a mapping from the hub" in page
    assert not Flow.objects.exists()


def test_a_removed_flow_leaves_its_runs(as_administrator):
    chosen = flow()
    edit(product().key, name="Renamed")
    as_administrator.post(f"/flows/{chosen.pk}/remove/")
    assert not Flow.objects.exists()
    assert Run.objects.get().flow is None


def test_a_mapping_that_a_flow_uses_is_not_deleted(as_administrator):
    chosen = flow()
    page = as_administrator.post(f"/mappings/{chosen.mapping_id}/delete/", follow=True).content.decode()
    assert "is still used by a flow" in page
    assert Mapping.objects.filter(pk=chosen.mapping_id).exists()


def test_the_list_is_narrowed_to_an_installation_and_the_runs_to_a_flow(as_viewer):
    chosen = flow()
    edit(product().key, name="Renamed")
    other = ready_installation(name="Second", webhook_key="k2")
    assert chosen.mapping.name in as_viewer.get(f"/flows/?installation={chosen.installation_id}").content.decode()
    page = as_viewer.get(f"/flows/?installation={other.pk}").content.decode()
    assert "Only of Second" in page and chosen.mapping.name not in page
    assert f"/runs/{Run.objects.get().pk}/" in as_viewer.get(f"/runs/?flow={chosen.pk}").content.decode()
    assert f"/runs/{Run.objects.get().pk}/" not in as_viewer.get("/runs/?flow=99").content.decode()
    for odd in ("x", "99999999999999999999", "²"):
        assert as_viewer.get(f"/flows/?installation={odd}").status_code == 200


def test_a_viewer_reads_and_an_operator_does_not_configure(as_viewer, as_operator):
    chosen = flow()
    page = as_viewer.get("/flows/").content.decode().partition("<main")[2]
    assert "Run" not in page.replace("Runs", "").replace("Last run", "")
    assert "Switch" not in page
    assert as_viewer.post(f"/flows/{chosen.pk}/run/").status_code == 403
    assert as_operator.get("/flows/new/").status_code == 403
    for action in ("switch", "remove"):
        assert as_operator.post(f"/flows/{chosen.pk}/{action}/").status_code == 403


def test_a_flow_goes_with_its_installation():
    chosen = flow()
    chosen.installation.delete()
    assert not Flow.objects.exists()
