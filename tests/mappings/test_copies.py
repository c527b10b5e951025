"""Copies of mappings, as they are and turned round; the order of mappings and rules; rules that are off."""

import string

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from logs.audit import Actor
from logs.models import AuditEntry
from mappings import actions, defaults
from mappings.apply import MappingSpec, RecordView, RuleSpec, to_request
from mappings.choices import FROM_HUB
from mappings.models import Mapping
from mappings.reversing import reverse as turned
from tests import builders

ADA = Actor("ada")
PLAIN = {"name": "M", "entity": "Product", "operation": "create_response", "sync_type": "add_and_update"}
PLAIN |= {"filter": "", "error_filter": "", "task": "", "protection": [], "description": "", "order": 1, "active": True}
RULE = {"kind": "field", "source": "fields.name", "target": "metadata.name", "default": "", "required": False}
RULE |= {"update_mode": "overwrite", "value_type": "", "lookup": [], "active": True}


def said(direction: str = "from_hub", *rules: dict, **over: object) -> dict:
    return {**PLAIN, "direction": direction, "rules": [{**RULE, **rule} for rule in rules], **over}


def at(name: str, *args: object) -> str:
    return reverse(f"mappings:{name}", args=args)


@pytest.fixture
def mapping(db) -> Mapping:
    installation = builders.installation()
    defaults.create_defaults(installation)
    return installation.mappings.get(name="Product to Create response")


def ways(snapshot: dict) -> list[tuple[str, str]]:
    return [(rule["source"], rule["target"]) for rule in turned(snapshot).said["rules"]]


def test_field_rules_are_turned_round_by_way_of_the_request():
    assert ways(said("from_hub", {})) == [("request.metadata.name", "fields.name")]
    assert ways(said("to_hub", {"source": "request.metadata.a", "target": "custom.OpenAI a.b"})) == [
        ("custom.`OpenAI a.b`", "metadata.a")
    ]


def test_a_lookup_table_is_turned_round_with_its_rule():
    rule = {"kind": "lookup", "lookup": [["sofa", 3], ["bed", "Beds"]], "default": "Other"}
    found = turned(said("from_hub", rule)).said["rules"][0]
    assert (found["lookup"], found["default"]) == ([["3", "sofa"], ["Beds", "bed"]], "")


@pytest.mark.parametrize(
    ("direction", "rule", "why"),
    [
        ("from_hub", {"kind": "static", "source": "true"}, "A static rule reads no one place"),
        ("from_hub", {"kind": "formula", "source": "1"}, "A formula rule reads no one place"),
        ("from_hub", {"source": "key"}, "key is no field of a record"),
        ("from_hub", {"source": "fields.address.city"}, "fields.address.city is no field of a record"),
        ("from_hub", {"kind": "lookup", "lookup": [["a", 1], ["b", 1]]}, "Two lines of its table write 1"),
        ("from_hub", {"kind": "lookup", "lookup": [["a", []]]}, "can't be looked up"),
        ("to_hub", {"source": "text", "target": "custom.text"}, "text is no part of a request"),
        ("to_hub", {"source": "request.input", "target": "custom.a`b"}, "backtick"),
    ],
)
def test_what_cannot_be_turned_round_is_left_out_with_the_reason(direction, rule, why):
    found = turned(said(direction, rule))
    assert found.said["rules"] == [] and why in found.rules[0][2]


def test_what_makes_no_sense_the_other_way_is_left_out_and_said():
    found = turned(said("to_hub", operation="event", sync_type="delete", filter="event.type = 'x'", error_filter=" "))
    assert (found.said["operation"], found.said["sync_type"]) == ("create_response", "add_and_update")
    assert (found.said["filter"], found.said["direction"], len(found.left_out)) == ("", "from_hub", 3)


NAMES = st.text(string.ascii_letters + string.digits + " .-_", min_size=1, max_size=8).filter(str.strip)


@given(
    part=st.sampled_from(["fields", "custom"]),
    name=NAMES,
    path=st.lists(st.sampled_from("abc"), min_size=1, max_size=3),
)
def test_turned_round_twice_is_as_before(part, name, path):
    quoted = f"`{name}`" if "." in name else name
    before = said("from_hub", {"source": f"{part}.{quoted}", "target": ".".join(path)})
    assert turned(turned(before).said).said == before


def test_a_copy_says_the_same_and_is_off(as_administrator, mapping):
    as_administrator.post(at("clone", mapping.pk))
    as_administrator.post(at("clone", mapping.pk))
    names = list(mapping.installation.mappings.filter(name__startswith="Copy").values_list("name", flat=True))
    assert names == ["Copy of Product to Create response", "Copy of Product to Create response 2"]
    copy = mapping.installation.mappings.get(name=names[0])
    assert (copy.active, copy.version, copy.order) == (False, 1, 8)
    assert actions.snapshot(copy)["rules"] == actions.snapshot(mapping)["rules"]


def test_turning_round_shows_what_comes_of_it_and_then_makes_it(as_administrator, mapping):
    actions.save_rule(ADA, mapping.rules.get(target="store"), {"kind": "field", "source": "custom.store"})
    page = as_administrator.get(at("turn_round", mapping.pk)).content.decode()
    assert "1 of 4 rules can be turned round" in page and "<code>request.store</code>" in page
    assert "A formula rule reads no one place" in page
    name = "Create response back to Product"
    taken = as_administrator.post(at("turn_round", mapping.pk), {"name": mapping.name}).content.decode()
    assert "There is a mapping “Product to Create response” already" in taken
    as_administrator.post(at("turn_round", mapping.pk), {"name": name})
    made = Mapping.objects.get(name=name)
    assert (made.direction, made.active) == ("to_hub", False)
    assert [(rule.source, rule.target) for rule in made.rules.all()] == [("request.store", "custom.store")]


def test_a_rule_that_is_off_does_nothing_and_is_said_to_be_off(as_administrator, mapping):
    rule = mapping.rules.get(target="store")
    as_administrator.post(at("rule_switch", mapping.pk, rule.pk), {"active": "0"})
    rule.refresh_from_db()
    applied = to_request(mapping.spec(), RecordView("K", {"name": "Oak"}, {}, "Product"))
    assert not rule.active and "store" not in applied.body
    assert [(line.target, line.outcome) for line in applied.trace][-1] == ("store", "off")
    mapping.refresh_from_db()
    assert mapping.version == 2
    page = as_administrator.get(at("detail", mapping.pk)).content.decode()
    assert "Switch store on" in page


def test_problems_keep_their_numbers_where_a_rule_before_them_is_off():
    rules = (RuleSpec("static", "a", "1", active=False), RuleSpec("formula", "b", "1 +"))
    applied = to_request(
        MappingSpec(1, "m", 1, FROM_HUB, "Product", "create_response", rules=rules), RecordView("K", {}, {})
    )
    assert [problem.rule for problem in applied.problems] == [2] and applied.body == {}
    assert [line.outcome for line in applied.trace] == ["off", "failed"]


def test_rules_are_put_in_order_as_one_version(mapping):
    ids = [rule.pk for rule in mapping.rules.all()]
    assert actions.order_rules(ADA, mapping, [ids[3], ids[1], 0])
    assert not actions.order_rules(ADA, mapping, [ids[3], ids[1]])
    assert [rule.pk for rule in mapping.rules.all()] == [ids[3], ids[1], ids[0], ids[2]]
    mapping.refresh_from_db()
    assert mapping.version == 2


def test_mappings_are_moved_and_put_in_order_without_versions(as_administrator, mapping):
    here = mapping.installation
    ids = list(here.mappings.order_by("order").values_list("pk", flat=True))
    as_administrator.post(at("move", ids[0]), {"step": "down"})
    as_administrator.post(at("move", ids[0]), {"step": "up"})
    as_administrator.post(at("order", here.pk), {"order": ids[::-1]})
    assert list(here.mappings.order_by("order").values_list("pk", flat=True)) == ids[::-1]
    assert [mapping.pk for mapping in as_administrator.get(at("list")).context["mappings"]] == ids[::-1]
    assert set(here.mappings.values_list("version", flat=True)) == {1}
    assert AuditEntry.objects.filter(action="ordered mappings").count() == 3
