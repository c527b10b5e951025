"""Structured output: the schema that rules make, the request that carries it, and answers that do not fit."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.apply import MappingSpec, RecordView, RuleSpec, to_record, to_request
from mappings.choices import FROM_HUB, TO_HUB, VALUE_TYPES
from mappings.structure import example, misfits, schema_of

TABLE = RecordView("A-1", {"name": "Table"}, {}, "Product")
TAKERS = (
    RuleSpec("field", "fields.title", "answer.title", required=True, value_type="text"),
    RuleSpec("field", "fields.bullets", "answer.bullets", value_type="texts"),
    RuleSpec("lookup", "fields.category", "answer.category", required=True, lookup={"side": "Side tables", "sofa": 7}),
    RuleSpec("field", "fields.colour", "answer.look.colour", required=True),
    RuleSpec("formula", "fields.heading", "$uppercase(answer.title) & answer.subtitle"),
    RuleSpec("field", "custom.id", "response.id"),
)
GOOD = {
    "title": "Oak",
    "bullets": ["solid", "oiled"],
    "category": "side",
    "look": {"colour": "brown"},
    "subtitle": "!",
}


def back(*rules: RuleSpec) -> MappingSpec:
    return MappingSpec(2, "back", 1, TO_HUB, "Product", "create_response", rules=rules or TAKERS)


def answered(value, *rules: RuleSpec):
    text = value if isinstance(value, str) else json.dumps(value)
    return to_record(back(*rules), {"response": {"id": "resp_1"}, "text": text}, TABLE)


def test_named_values_make_a_strict_schema():
    schema = schema_of(TAKERS)
    assert schema == {
        "type": "object",
        "additionalProperties": False,
        "required": ["title", "bullets", "category", "look", "subtitle"],
        "properties": {
            "title": {"type": "string"},
            "bullets": {"type": ["array", "null"], "items": {"type": "string"}},
            "category": {"type": "string", "enum": ["side", "sofa"]},
            "look": {
                "type": "object",
                "properties": {"colour": {"type": "string"}},
                "required": ["colour"],
                "additionalProperties": False,
            },
            "subtitle": {"type": "string"},
        },
    }
    assert (
        schema_of([RuleSpec("field", "custom.id", "response.id"), RuleSpec("field", "custom.x", "answer..x")]) is None
    )


@pytest.mark.parametrize(
    ("operation", "where"), [("create_response", "text"), ("create_chat_completion", "response_format")]
)
def test_a_request_asks_for_the_schema_and_a_rule_may_ask_for_another(operation, where):
    schema = schema_of(TAKERS)
    spec = MappingSpec(1, "Titles & more", 1, FROM_HUB, "Product", operation, schema=schema)
    body = to_request(spec, TABLE).body
    asked = body["text"]["format"] if where == "text" else body["response_format"]["json_schema"]
    assert (asked["name"], asked["strict"], asked["schema"]) == ("Titles_more", True, schema)
    own = (RuleSpec("static", f"{where}.format", '{"type": "text"}'), RuleSpec("static", "text.verbosity", "low"))
    body = to_request(MappingSpec(1, "m", 1, FROM_HUB, "Product", operation, rules=own, schema=schema), TABLE).body
    assert body[where]["format"] == {"type": "text"}
    assert "format" not in to_request(MappingSpec(1, "m", 1, FROM_HUB, "P", "create_image", schema=schema), TABLE).body


def test_an_answer_that_fits_is_written():
    applied = answered(GOOD)
    assert applied.ok
    assert applied.body["fields"] == {
        "name": "Table",
        "title": "Oak",
        "bullets": ["solid", "oiled"],
        "category": "Side tables",
        "colour": "brown",
        "heading": "OAK!",
    }


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"title": 3}, "answer.title", "Expected a text, and the answer has a whole number."),
        ({"bullets": ["a", None]}, "answer.bullets.2", "Expected a text, and the answer has nothing."),
        ({"category": "bed"}, "answer.category", "none of the 2 values"),
        ({"look": {}}, "answer.look.colour", "missing"),
        ({"more": 1}, "answer.more", "nothing asked for it"),
    ],
)
def test_what_does_not_fit_is_a_problem_with_its_path(change, path, words):
    applied = answered(GOOD | change)
    assert not applied.ok
    assert [problem.target for problem in applied.problems if words in problem.message] == [path]


@pytest.mark.parametrize("text", ["", "Oak.", "[1]", '{"title": ', "[" * 100_000])
def test_an_answer_that_is_no_object_is_a_problem(text):
    assert answered(text).problems[0].target == "answer"


@pytest.mark.parametrize(
    ("value_type", "good", "bad"),
    [
        ("text", "x", 1),
        ("number", 1.5, "1.5"),
        ("integer", 3, 3.5),
        ("boolean", False, "false"),
        ("date", "2026-11-21", "21 November"),
        ("texts", ["a"], "a"),
        ("numbers", [1, 2.5], [1, "2"]),
        ("pairs", [{"name": "a", "value": "b"}], [{"name": "a"}]),
    ],
)
def test_a_value_is_of_the_type_that_its_rule_says(value_type, good, bad):
    rule = RuleSpec("static", "input", json.dumps(good), value_type=value_type)
    spec = MappingSpec(1, "m", 1, FROM_HUB, "Product", "create_response", rules=(rule,))
    assert to_request(spec, TABLE).ok
    wrong = RuleSpec("static", "input", json.dumps(bad), value_type=value_type)
    (problem,) = to_request(MappingSpec(1, "m", 1, FROM_HUB, "P", "create_response", rules=(wrong,)), TABLE).problems
    assert (problem.rule, "The rule says" in problem.message) == (1, True)


NAMED = st.builds(
    RuleSpec,
    kind=st.sampled_from(["field", "lookup"]),
    target=st.just("fields.x"),
    source=st.sampled_from(["answer.a", "answer.b", "answer.b.c", "answer.b.0", "answer.d.e.f", "answer.d.e"]),
    required=st.booleans(),
    lookup=st.just({"one": 1, "two": 2}),
    value_type=st.sampled_from([name for name, _ in VALUE_TYPES]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(NAMED, min_size=1, max_size=5))
def test_every_schema_is_strict_and_has_an_example(rules):
    schema = schema_of(rules)
    assert list(misfits(schema, example(schema))) == []
    waiting = [schema]
    while waiting:
        here = waiting.pop()
        if "properties" in here:
            assert here["required"] == list(here["properties"])
            assert here["additionalProperties"] is False
            waiting += here["properties"].values()
        waiting += [here["items"]] if "items" in here else []
