"""Versions of a mapping: each save makes one, two are compared, an older one comes back, and results can name them."""

import pytest
from django.urls import reverse

from logs.audit import Actor
from logs.models import AuditEntry
from mappings import actions, defaults
from mappings.differences import differences
from mappings.models import Mapping, MappingVersion
from tests import builders

pytestmark = pytest.mark.django_db
ADA = Actor("ada")


@pytest.fixture
def mapping() -> Mapping:
    installation = builders.installation()
    defaults.create_defaults(installation)
    return installation.mappings.get(name="Product to Create response")


def at(name: str, *args: object) -> str:
    return reverse(f"mappings:{name}", args=args)


def newest(mapping: Mapping) -> MappingVersion:
    found = MappingVersion.objects.of(mapping.pk).first()
    assert found is not None
    return found


def shown(before: dict, after: dict) -> dict[str, tuple[str | None, str | None]]:
    """Field → both sides."""

    def text(pieces):
        return None if pieces is None else "".join(piece.text for piece in pieces)

    return {row.field: (text(row.before), text(row.after)) for row in differences(before, after)}


def test_each_save_makes_a_version_with_who_when_note_and_all_that_it_says(as_administrator, mapping):
    first = newest(mapping)
    assert (first.number, first.actor) == (1, "Patchbay")
    posted = {"kind": "static", "target": "temperature", "source": "0.2", "update_mode": "overwrite"}
    as_administrator.post(at("rule_new", mapping.pk), posted)
    settings = {"name": "Describe", "entity": "Product", "operation": "create_response", "sync_type": "update"}
    as_administrator.post(
        at("edit", mapping.pk), settings | {"order": "1", "active": "on", "note": " Only\nold  ones "}
    )
    third = newest(mapping)
    assert (third.number, third.actor, third.note) == (3, "ada", "Only old ones")
    assert (third.said["name"], third.said["sync_type"]) == ("Describe", "update")
    assert [rule["target"] for rule in third.said["rules"]][-1] == "temperature"
    mapping.refresh_from_db()
    assert (mapping.version, third.spec("m")) == (3, mapping.spec_with(mapping.rules.all(), "m"))
    first.refresh_from_db()
    assert first.mapping_name == "Product to Create response" and len(first.said["rules"]) == 4


def test_where_a_mapping_stands_and_whether_it_is_used_makes_no_version(mapping):
    actions.change_mapping(ADA, mapping, {"active": False, "order": 9})
    assert newest(mapping).number == 1
    assert AuditEntry.objects.filter(action="changed", object_kind="mapping").count() == 1


def test_a_rule_that_is_saved_from_an_old_page_undoes_no_settings(mapping):
    rule = mapping.rules.get(target="store")
    assert rule.mapping == mapping and rule.mapping.filter == ""
    actions.change_mapping(ADA, mapping, {"filter": "fields.price > 1"})
    actions.save_rule(ADA, rule, {"source": "false"})
    assert newest(mapping).said["filter"] == Mapping.objects.get(pk=mapping.pk).filter == "fields.price > 1"
    assert newest(mapping).number == 3


def test_what_was_changed_elsewhere_is_kept_before_a_result_names_it(mapping):
    Mapping.objects.filter(pk=mapping.pk).update(filter="false")
    mapping.refresh_from_db()
    version = actions.recorded(mapping)
    assert (version.number, version.said["filter"]) == (2, "false")
    assert actions.recorded(mapping) == version


def test_what_a_version_knew_no_field_for_counts_as_its_default(mapping):
    version = newest(mapping)
    for rule in version.said["rules"]:
        del rule["active"]
    version.save()
    assert actions.recorded(mapping) == version


def test_differences_are_said_by_field_and_by_rule(mapping):
    before = actions.snapshot(mapping)
    after = {**before, "sync_type": "add", "rules": [dict(rule) for rule in before["rules"][1:]]}
    after["rules"][0] |= {"source": "key", "kind": "lookup", "lookup": [["a", 1]], "active": False}
    found = shown(before, after)
    assert found["Sync type"] == ("Add and update", "Add")
    assert found["Rule input › Kind"] == ("Formula", "Lookup")
    assert found["Rule input › Lookup › a"] == (None, "1")
    assert found["Rule input › Active"] == ("yes", "no")
    assert found["Rule model › Source"] == ("model", None)
    assert "Rule store › Kind" not in found and found["Order of rules"][1] == "input\nmetadata.patchbay_key\nstore"


def test_any_two_are_compared_and_the_older_one_comes_back_as_a_new_one(as_administrator, mapping):
    first = newest(mapping)
    rule = mapping.rules.get(target="store")
    actions.save_rule(ADA, rule, {"source": "false"}, "Keep nothing")
    actions.delete_rule(ADA, mapping.rules.get(target="model"))
    page = as_administrator.get(f"{first.get_absolute_url()}?with=2").content.decode()
    assert "<del>true</del>" in page and "<ins>false</ins>" in page
    as_administrator.post(at("roll_back", first.pk))
    back = newest(mapping)
    assert (back.number, back.note, back.said) == (4, "Back to version 1", first.said)
    assert [each.target for each in mapping.rules.all()] == ["model", "input", "metadata.patchbay_key", "store"]
    assert mapping.rules.get(target="store").pk == rule.pk
    answer = as_administrator.post(at("roll_back", first.pk), follow=True)
    assert "says this already" in answer.content.decode() and newest(mapping).number == 4
    listed = as_administrator.get(at("versions", mapping.pk)).content.decode()
    assert listed.index("Version 4") < listed.index("Version 1") and "Keep nothing" in listed
    assert AuditEntry.objects.get(action="rolled back").changes["version"] == [3, 4]


def test_rolling_back_leaves_on_or_off_and_the_place_as_they_are(mapping):
    first = newest(mapping)
    actions.change_mapping(ADA, mapping, {"active": False, "order": 5, "filter": "false"})
    actions.roll_back(ADA, mapping, first)
    mapping.refresh_from_db()
    assert (mapping.active, mapping.order, mapping.filter) == (False, 5, "")


def test_a_name_that_was_given_away_meanwhile_is_not_taken_back(as_administrator, mapping):
    first = newest(mapping)
    other = mapping.installation.mappings.exclude(pk=mapping.pk)[0]
    actions.change_mapping(ADA, mapping, {"name": "Mine"})
    actions.change_mapping(ADA, other, {"name": "Product to Create response"})
    page = as_administrator.post(at("roll_back", first.pk), follow=True).content.decode()
    assert "There is a mapping “Product to Create response” already" in page
    mapping.refresh_from_db()
    assert (mapping.name, newest(mapping).number) == ("Mine", 2)


def test_a_note_is_written_beside_a_version_and_nothing_else_of_it_changes(as_administrator, mapping):
    version = newest(mapping)
    as_administrator.post(at("note", version.pk), {"note": "Good for spring"})
    assert newest(mapping).note == "Good for spring" and newest(mapping).said == version.said
    assert AuditEntry.objects.get(action="noted").changes["note"] == ["", "Good for spring"]


def test_versions_outlive_their_mapping_and_cannot_be_deleted(as_administrator, mapping):
    version = newest(mapping)
    actions.delete_mapping(ADA, mapping)
    page = as_administrator.get(version.get_absolute_url()).content.decode()
    assert "This mapping is deleted" in page and "Roll back" not in page
    assert as_administrator.post(at("roll_back", version.pk)).status_code == 404
    with pytest.raises(RuntimeError, match="results name them"):
        version.delete()


def test_viewers_compare_and_find_no_way_to_change(as_viewer, mapping):
    page = as_viewer.get(newest(mapping).get_absolute_url()).content.decode()
    assert "Save note" not in page and "Roll back" not in page
