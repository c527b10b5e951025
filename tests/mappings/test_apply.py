"""Applying mappings: kinds of rules, update modes, filters, both directions; and preview equals run."""

import copy
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.apply import MappingSpec, RecordView, RuleSpec, to_record, to_request, value_of
from mappings.choices import FROM_HUB, OPERATIONS, TO_HUB
from mappings.preview import SampleError, preview, read_sample
from mappings.samples import document

NOW = "2026-11-21T09:30:00.000Z"
TABLE = RecordView("A-1", {"name": "Table", "category": "side", "tags": ["oak"], "a.b": 1}, {"tone": "warm"}, "Product")


def out(*rules: RuleSpec, **over) -> MappingSpec:
    return MappingSpec(1, "out", 3, FROM_HUB, "Product", "create_response", rules=rules, **over)


def back(*rules: RuleSpec, **over) -> MappingSpec:
    return MappingSpec(2, "back", 1, TO_HUB, "Product", "create_response", rules=rules, **over)


def test_each_kind_of_rule_fills_its_target():
    spec = out(
        RuleSpec("field", "metadata.sku", "key"),
        RuleSpec("static", "max_output_tokens", "400"),
        RuleSpec("formula", "input", '"Describe " & fields.name'),
        RuleSpec("lookup", "metadata.category", "fields.category", lookup={"side": "Side tables"}),
        RuleSpec("field", "user", "fields.`a.b`"),
        model="some-model",
    )
    applied = to_request(spec, TABLE)
    assert applied.ok
    assert applied.body == {
        "metadata": {"sku": "A-1", "category": "Side tables"},
        "max_output_tokens": 400,
        "input": "Describe Table",
        "user": 1,
        "model": "some-model",
    }
    assert [line.outcome for line in applied.trace] == ["written"] * 5


def test_a_rule_may_set_another_model():
    assert to_request(out(RuleSpec("static", "model", "other"), model="mine"), TABLE).body["model"] == "other"


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("400", 400), ('"400"', "400"), ("warm", "warm"), ("NaN", "NaN")]
)
def test_a_typed_value_is_json_or_text(text, value):
    assert value_of(text) == value


def test_an_empty_source_takes_the_default_or_nothing_or_is_a_problem():
    spec = out(
        RuleSpec("field", "a", "fields.absent", default="42"),
        RuleSpec("field", "b", "fields.absent"),
        RuleSpec("lookup", "c", "fields.name", lookup={"x": "y"}, required=True),
    )
    applied = to_request(spec, TABLE)
    assert applied.body == {"a": 42}
    assert [line.outcome for line in applied.trace] == ["default", "empty", "failed"]
    assert [(problem.rule, problem.target) for problem in applied.problems] == [(3, "c")]


def test_one_faulty_rule_is_named_and_the_others_still_show_their_work():
    applied = to_request(
        out(RuleSpec("formula", "input", "1 &\n $nope(1)"), RuleSpec("static", "store", "false")), TABLE
    )
    assert applied.body == {"store": False}
    (problem,) = applied.problems
    assert (problem.rule, problem.line, problem.column) == (1, 2, 3)
    assert not applied.ok


def test_a_target_under_a_value_is_a_problem():
    applied = to_request(out(RuleSpec("static", "text", "x"), RuleSpec("static", "text.format", "y")), TABLE)
    assert "already holds a value" in applied.problems[0].message


def test_a_path_that_cannot_be_read_is_a_problem():
    assert to_request(out(RuleSpec("field", "input", "fields..name")), TABLE).problems[0].rule == 1


def test_filters_leave_out_or_refuse():
    rule = RuleSpec("static", "input", "x")
    assert to_request(out(rule, filter='fields.category = "side"'), TABLE).ok
    assert to_request(out(rule, filter='fields.category = "sofa"'), TABLE).skipped
    assert to_request(out(rule, filter="fields.absent"), TABLE).skipped
    refused = to_request(out(rule, error_filter='custom.tone = "warm"'), TABLE)
    assert refused.problems
    assert refused.body == {}
    faulty = to_request(out(rule, filter="1 +"), TABLE).problems[0]
    assert (faulty.target, faulty.line, faulty.column) == ("Filter", 1, 4)


ANSWER = {"response": {"id": "resp_1"}, "text": "Fine oak.", "event": None, "request": {"input": "Describe"}}


def test_an_answer_changes_only_what_differs():
    spec = back(
        RuleSpec("field", "custom.OpenAI Response Text", "text"),
        RuleSpec("field", "custom.tone", "record.custom.tone"),
        RuleSpec("field", "fields.name", "text", update_mode="if_empty"),
        RuleSpec("field", "fields.created by", "response.id", update_mode="if_new"),
        RuleSpec("static", "fields.tags", '["oak", "glass"]', update_mode="append"),
    )
    applied = to_record(spec, ANSWER, TABLE)
    assert applied.changes == {"custom.OpenAI Response Text": "Fine oak.", "fields.tags": ["oak", "glass"]}
    assert applied.body["fields"]["name"] == "Table"
    assert [line.outcome for line in applied.trace] == ["written", "written", "kept", "kept", "written"]


def test_a_new_record_takes_if_new():
    applied = to_record(back(RuleSpec("field", "fields.id", "response.id", update_mode="if_new")), ANSWER, None)
    assert applied.body == {"fields": {"id": "resp_1"}, "custom": {}}


def test_appending_twice_is_appending_once():
    spec = back(RuleSpec("field", "fields.notes", "text", update_mode="append"))
    record = RecordView("A", {"notes": "Old."}, {})
    once = to_record(spec, ANSWER, record)
    assert once.changes == {"fields.notes": "Old.\nFine oak."}
    again = to_record(spec, ANSWER, RecordView("A", once.body["fields"], {}))
    assert again.changes == {}


def test_sync_types_that_only_add_or_only_update():
    rule = RuleSpec("field", "fields.x", "text")
    assert to_record(back(rule, sync_type="add"), ANSWER, TABLE).skipped
    assert to_record(back(rule, sync_type="update"), ANSWER, None).skipped
    assert to_record(back(rule, sync_type="update"), ANSWER, TABLE).ok


def test_a_mapping_that_deletes_marks_the_record_and_never_makes_one():
    record = RecordView("K", {"name": "Oak"}, {})
    applied = to_record(back(sync_type="delete"), ANSWER, record)
    assert (applied.body["fields"], applied.changes) == ({"name": "Oak"}, {"custom.deleted": True})
    assert to_record(back(sync_type="delete"), ANSWER).skipped
    refused = to_record(back(sync_type="delete", error_filter="true"), ANSWER, record)
    assert refused.problems and not refused.changes


def test_only_fields_and_custom_fields_of_a_record_can_be_written():
    assert to_record(back(RuleSpec("static", "key", "x")), ANSWER, TABLE).problems


NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
RULES = st.builds(
    RuleSpec,
    kind=st.sampled_from(["field", "static", "formula", "lookup"]),
    target=st.builds("{}.{}".format, st.sampled_from(["fields", "custom", "metadata"]), NAMES),
    source=st.sampled_from(["fields.a", "key", "custom.b", "fields", '"x" & key', "1 +", "$string(fields)", ""]),
    default=st.sampled_from(["", "3", "text"]),
    required=st.booleans(),
    update_mode=st.sampled_from(["overwrite", "if_empty", "if_new", "append"]),
)


@settings(max_examples=60, deadline=None)
@given(
    rules=st.lists(RULES, max_size=4),
    fields=st.dictionaries(NAMES, VALUES, max_size=3),
    custom=st.dictionaries(NAMES, VALUES, max_size=2),
)
def test_preview_equals_run_and_leaves_the_record_alone(rules, fields, custom):
    record = RecordView("K", fields, custom, "Product")
    before = copy.deepcopy(record)
    sample = record.as_dict() | {"now": NOW}
    assert preview(out(*rules), sample) == to_request(out(*rules), record, now=NOW)
    source = ANSWER | {"record": record.as_dict(), "now": NOW}
    applied = to_record(back(*rules), source, record)
    assert preview(back(*rules), source) == applied
    assert record == before


def test_samples_fit_the_preview():
    for direction, operation in [(FROM_HUB, "create_response"), *((TO_HUB, name) for name, _ in OPERATIONS)]:
        spec = MappingSpec(1, "m", 1, direction, "Product", operation)
        assert preview(spec, document("Product", direction, operation)).ok


@pytest.mark.parametrize("text", ["[1]", "{", '{"a": 1', "x", ""])
def test_a_sample_that_is_no_json_object_is_refused(text):
    with pytest.raises(SampleError):
        read_sample(text)


def test_a_sample_whose_record_has_no_fields_object_is_refused():
    with pytest.raises(SampleError):
        preview(out(), {"key": "a", "fields": [1]})
