"""The pages of mappings: who may do what, and each step of an editor's work."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from flows.actions import add_flow
from flows.models import Flow
from flows.records import save_record
from logs.audit import Actor
from logs.models import AuditEntry
from mappings import defaults
from mappings.models import Mapping
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def mapping() -> Mapping:
    installation = builders.installation()
    defaults.create_defaults(installation)
    return installation.mappings.get(name="Product to Create response")


def at(name: str, *args: object) -> str:
    return reverse(f"mappings:{name}", args=args)


RULE = {"kind": "formula", "target": "instructions", "source": '"Tone: " & custom.tone', "update_mode": "overwrite"}


def test_the_list_groups_by_installation(as_viewer, mapping):
    page = as_viewer.get(at("list")).content.decode()
    assert mapping.installation.name in page
    assert "Webhook event to Message" in page
    assert "Add mapping" not in page


def test_a_viewer_reads_and_tries_but_finds_no_way_to_change(as_viewer, mapping):
    page = as_viewer.get(at("detail", mapping.pk)).content.decode()
    assert "HP-10482" in page
    assert "Add rule" not in page
    rule = mapping.rules.first()
    for address in [
        at("edit", mapping.pk),
        at("rule_new", mapping.pk),
        at("rule_edit", mapping.pk, rule.pk),
        at("new"),
    ]:
        assert as_viewer.get(address).status_code == 403
    for address in [
        at("activate", mapping.pk),
        at("delete", mapping.pk),
        at("rule_move", mapping.pk, rule.pk),
        at("rule_delete", mapping.pk, rule.pk),
    ]:
        assert as_viewer.post(address).status_code == 403
    assert mapping.rules.filter(pk=rule.pk).exists()


def test_an_operator_may_not_edit_either(as_operator, mapping):
    assert as_operator.post(at("rule_new", mapping.pk), RULE).status_code == 403


def test_the_preview_shows_the_exact_body_for_a_typed_record(as_viewer, mapping):
    sample = {"key": "Z-9", "fields": {"name": "<b>Chair</b>"}, "custom": {}}
    page = as_viewer.post(at("detail", mapping.pk), {"sample": json.dumps(sample)}).content.decode()
    assert "Z-9" in page
    assert "<b>Chair" not in page
    part = as_viewer.post(at("detail", mapping.pk), {"sample": "{"}, headers={"HX-Request": "true"}).content.decode()
    assert "this is not JSON" in part
    assert "<html" not in part


def test_a_rule_is_added_as_a_new_version_with_an_audit_line(as_administrator, mapping):
    answer = as_administrator.post(at("rule_new", mapping.pk), RULE)
    assert answer.url == at("detail", mapping.pk)
    rule = mapping.rules.last()
    assert (rule.target, rule.order) == ("instructions", 5)
    mapping.refresh_from_db()
    assert mapping.version == 2
    entry = AuditEntry.objects.get(object_kind="mapping", action="changed")
    assert entry.actor_name == "ada"
    assert entry.changes["version"] == [1, 2]


def test_saving_a_rule_as_it_was_makes_no_version(as_administrator, mapping):
    rule = mapping.rules.get(target="store")
    as_administrator.post(
        at("rule_edit", mapping.pk, rule.pk),
        {"kind": "static", "target": "store", "source": "true", "update_mode": "overwrite"},
    )
    mapping.refresh_from_db()
    assert mapping.version == 1


def test_a_faulty_formula_stays_on_the_page_with_its_place(as_administrator, mapping):
    answer = as_administrator.post(at("rule_new", mapping.pk), RULE | {"source": '"a" &\n  fields.('})
    page = answer.content.decode()
    assert "Line 2, character" in page
    assert "fields.(" in page
    assert not mapping.rules.filter(target="instructions").exists()


def test_trying_a_rule_shows_its_effect_and_saves_nothing(as_administrator, mapping):
    rule = mapping.rules.get(target="input")
    data = {"kind": "formula", "target": "input", "source": '"Only " & key', "update_mode": "overwrite", "try": "1"}
    part = as_administrator.post(
        at("rule_edit", mapping.pk, rule.pk), data, headers={"HX-Request": "true"}
    ).content.decode()
    assert "Only HP-10482" in part
    whole = as_administrator.post(at("rule_edit", mapping.pk, rule.pk), data | {"source": "$fomat(1)"}).content.decode()
    assert "<mark>fomat</mark>" in whole
    assert "no function fomat" in whole
    rule.refresh_from_db()
    assert "Only" not in rule.source


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "field", "source": "a..b"}, "source"),
        ({"target": "a..b"}, "target"),
        ({"kind": "lookup", "source": "key"}, "__all__"),
        ({"kind": "lookup", "source": "key", "table_from": ["", "a"], "table_to": ["x", "y"]}, "__all__"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_at_the_field(as_administrator, mapping, change, field):
    answer = as_administrator.post(at("rule_new", mapping.pk), RULE | change)
    assert field in answer.context["editor"].form.errors


LOOKUP = RULE | {
    "kind": "lookup",
    "source": "fields.category",
    "table_from": ["tables/side", "sofa", "bed", ""],
    "table_to": ["Side tables", "3", '"3"', ""],
}


def test_a_lookup_table_comes_back_as_it_was_typed(as_administrator, mapping):
    as_administrator.post(at("rule_new", mapping.pk), LOOKUP)
    rule = mapping.rules.last()
    assert rule.spec().lookup == {"tables/side": "Side tables", "sofa": 3, "bed": "3"}
    form = as_administrator.get(at("rule_edit", mapping.pk, rule.pk)).context["editor"].form
    assert form.lines == list(zip(LOOKUP["table_from"], LOOKUP["table_to"], strict=True))


def test_rules_move_and_go(as_administrator, mapping):
    first, second = mapping.rules.all()[:2]
    as_administrator.post(at("rule_move", mapping.pk, second.pk), {"step": "up"})
    assert [rule.pk for rule in mapping.rules.all()][:2] == [second.pk, first.pk]
    as_administrator.post(at("rule_move", mapping.pk, second.pk), {"step": "up"})
    as_administrator.post(at("rule_delete", mapping.pk, second.pk))
    assert second.pk not in [rule.pk for rule in mapping.rules.all()]
    mapping.refresh_from_db()
    assert mapping.version == 3


def test_a_rule_is_deleted_only_after_a_question_that_needs_no_script(as_administrator, as_viewer, mapping):
    rule = mapping.rules.first()
    html = as_administrator.get(at("detail", mapping.pk)).content.decode()
    assert f'popovertarget="delete-rule-{rule.pk}"' in html
    assert f'<dialog class="dialog" id="delete-rule-{rule.pk}" popover' in html
    assert html.count(at("rule_delete", mapping.pk, rule.pk)) == 1
    assert "delete-rule" not in as_viewer.get(at("detail", mapping.pk)).content.decode()


def test_a_rule_of_another_mapping_is_not_found(as_administrator, mapping):
    other = Mapping.objects.exclude(pk=mapping.pk)[0]
    assert as_administrator.post(at("rule_delete", other.pk, mapping.rules.all()[0].pk)).status_code == 404


def test_deactivating_takes_a_mapping_out_of_use(as_administrator, mapping):
    as_administrator.post(at("activate", mapping.pk), {"active": "0"})
    assert not Mapping.objects.for_push(mapping.installation, "Product").exists()
    as_administrator.post(at("activate", mapping.pk), {"active": "1"})
    assert Mapping.objects.for_push(mapping.installation, "Product").get() == mapping


SETTINGS = {
    "name": "Mine",
    "entity": "Invoice",
    "operation": "create_response",
    "sync_type": "update",
    "order": "3",
    "active": "on",
}


def test_a_mapping_is_added_changed_and_deleted(as_administrator, mapping):
    new = SETTINGS | {"installation": mapping.installation_id, "direction": "from_hub"}
    assert as_administrator.post(at("new"), new).status_code == 302
    mine = Mapping.objects.get(name="Mine")
    as_administrator.post(at("edit", mine.pk), SETTINGS | {"filter": "fields.price > 1"})
    mine.refresh_from_db()
    assert (mine.filter, mine.version) == ("fields.price > 1", 2)
    as_administrator.post(at("delete", mine.pk))
    assert not Mapping.objects.filter(name="Mine").exists()


def test_a_mapping_that_a_flow_uses_is_not_deleted(as_administrator, mapping):
    flow = add_flow(Actor("ada"), mapping.installation, mapping)
    page = as_administrator.post(at("delete", mapping.pk), follow=True).content.decode()
    assert "is still used by a flow. Delete the flow first" in page
    assert (list(Flow.objects.all()), mapping.rules.exists()) == ([flow], True)
    assert not AuditEntry.objects.filter(action="deleted", object_kind="mapping").exists()


def test_settings_are_checked(as_administrator, mapping):
    new = {"installation": mapping.installation_id, "direction": "from_hub", "name": mapping.name, "operation": "event"}
    answer = as_administrator.post(at("new"), SETTINGS | new | {"filter": "1 +", "sync_type": "delete"})
    assert set(answer.context["form"].errors) == {"name", "operation", "filter", "sync_type"}


def test_the_number_of_records_that_pass_is_shown_while_filters_are_typed(as_administrator, mapping):
    for key, price in [("A-1", 10), ("A-2", 30), ("A-3", 50)]:
        save_record(Actor("ada"), "Product", key, {"price": price})
    typed = {"entity": "Product", "filter": "fields.price > 20", "error_filter": "fields.price > 40"}
    page = as_administrator.post(at("passing"), typed, headers={"HX-Request": "true"}).content.decode()
    assert "<strong>1 of 3</strong> records pass, 1 left out, 1 refused. Among them: A-2." in page
    page = as_administrator.post(at("passing"), typed | {"filter": "fields.price >"}).content.decode()
    assert "Filter: Line 1, character 15" in page
    assert "1 of" not in page
    page = as_administrator.get(at("edit", mapping.pk)).content.decode()
    assert "<strong>3 of 3</strong> records pass" in page


def test_a_rule_is_dragged_to_another_place(as_administrator, mapping):
    pks = [rule.pk for rule in mapping.rules.all()]
    as_administrator.post(at("rule_move", mapping.pk, pks[3]), {"place": "1"})
    assert [rule.pk for rule in mapping.rules.all()] == [pks[3], *pks[:3]]
    as_administrator.post(at("rule_move", mapping.pk, pks[3]), {"place": "99999"})
    assert [rule.pk for rule in mapping.rules.all()] == [*pks[:3], pks[3]]


def test_a_cord_to_a_free_target_is_a_rule_and_to_another_a_draft(as_administrator, as_viewer, mapping):
    cord = {"source": "fields.name", "target": "metadata"}
    answer = as_administrator.post(at("connect", mapping.pk), cord | {"record": "A-1"})
    rule = mapping.rules.last()
    assert (rule.target, rule.kind, rule.source) == ("metadata.name", "field", "fields.name")
    assert answer.url == at("rule_edit", mapping.pk, rule.pk) + "?record=A-1"
    page = as_administrator.post(at("connect", mapping.pk), {"source": "key", "target": "input"}, follow=True)
    assert page.context["editor"].form["source"].value().endswith(' & " " & key')
    assert mapping.rules.get(target="input").source in page.context["editor"].form["source"].value()
    assert not mapping.rules.get(target="input").source.endswith("key")
    refused = as_administrator.post(at("connect", mapping.pk), {"source": "a..b", "target": "user"})
    assert "source" in refused.context["editor"].form.errors
    assert as_viewer.post(at("connect", mapping.pk), cord).status_code == 403


def test_a_record_of_the_hub_is_picked_by_name_or_by_step(as_viewer, mapping):
    for key in ("A-1", "A-2"):
        save_record(Actor("ada"), "Product", key, {"name": f"Desk {key}"})

    def sample(**given):
        return as_viewer.post(at("detail", mapping.pk), given).context["editor"].document["key"]

    assert sample() == "A-2", "the newest"
    assert sample(record="A-1") == "A-1"
    assert sample(record="A-1", step="next") == sample(record="A-1", step="previous") == "A-2"
    assert sample(record="gone") == "HP-10482", "a sample of ours"
    typed = {"sample": '{"key": "Z", "fields": {}}', "sample_of": "A-1"}
    assert sample(record="A-1", **typed) == "Z", "what was typed counts"
    assert sample(record="A-2", **typed) == "A-2", "until another record is picked"


def test_the_preview_estimates_tokens_and_cost(as_viewer, mapping):
    mapping.rules.create(order=9, kind="static", target="max_output_tokens", source="400")
    page = as_viewer.get(at("detail", mapping.pk)).content.decode()
    assert "tokens in, at most 400 out, $0." in page
    mapping.rules.create(order=10, kind="static", target="model", source="nobody-knows")
    assert "price not known" in as_viewer.get(at("detail", mapping.pk)).content.decode()


def test_lines_of_a_lookup_table_come_from_a_file(as_administrator, mapping):
    def imported(content: bytes):
        file = SimpleUploadedFile("table.csv", content)
        answer = as_administrator.post(at("rule_new", mapping.pk), LOOKUP | {"table": "import", "csv_file": file})
        return answer.context["editor"].form

    assert imported(b"bed;Beds\nlamp;Lamps\n").typed_lines()[-2:] == [("bed", "Beds"), ("lamp", "Lamps")]
    assert "Line 2 of the CSV has 3 values" in imported(b"a,1\nb,2,3").csv_error
    assert "not UTF-8" in imported(b"\xff\xfe").csv_error
    assert not mapping.rules.filter(kind="lookup").exists()


def test_the_address_of_a_refused_cord_leads_back_to_the_mapping(as_administrator, mapping):
    assert as_administrator.get(at("connect", mapping.pk))["Location"] == at("detail", mapping.pk)


def test_a_new_rule_that_nobody_typed_in_has_no_error(as_administrator, mapping):
    page = as_administrator.get(at("rule_new", mapping.pk) + "?target=instructions").content.decode()
    assert "has an error" not in page
    assert "The exact request body" in page
    tried = {"target": "instructions", "kind": "field", "source": "fields.", "update_mode": "overwrite", "try": "1"}
    assert "has an error" in as_administrator.post(at("rule_new", mapping.pk), tried).content.decode()
