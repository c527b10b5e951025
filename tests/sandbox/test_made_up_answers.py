"""Texts and values that are made from the question: for any schema that makes sense, and for none that doesn't."""

import json

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox import chat, embeddings, json_schema, moderations, text
from sandbox.call import Call
from sandbox.errors import ApiError
from sandbox.json_schema import example
from sandbox.responses import make
from sandbox.settings import Settings
from sandbox.state import State

PROMPT = "Name: Oak desk, Material: solid oak, Price: 199"
SCHEMAS = [
    {"type": "integer", "minimum": 3, "maximum": 3},
    {"type": "number", "exclusiveMinimum": 1, "multipleOf": 0.25},
    {"type": "integer", "maximum": -5},
    {"type": "integer", "exclusiveMaximum": 0, "minimum": -1},
    {"type": "string", "minLength": 500, "maxLength": 600},
    {"type": "string", "enum": ["red", "green"]},
    {"type": ["null", "string"]},
    {"const": {"a": 1}},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 3},
    {"type": "array", "items": {"type": "string"}, "maxItems": 1},
    {"anyOf": [{"type": "null"}, {"type": "string"}]},
    {"allOf": [{"properties": {"a": {"type": "null"}}, "required": ["a"]}, {"required": ["a"]}]},
    {"type": "object", "properties": {"name": {"type": "string"}, "on": {"type": "string", "format": "date"}}},
    {"$defs": {"tag": {"type": "string"}}, "type": "array", "items": {"$ref": "#/$defs/tag"}},
    {
        "$defs": {
            "node": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}
        },
        "$ref": "#/$defs/node",
    },
]
KEYS = st.sampled_from(
    ["type", "role", "content", "text", "format", "schema", "name", "strict", "properties", "items", "enum", "required"]
    + ["json_schema", "anyOf", "$ref", "minItems", "minimum", "multipleOf", "user", "message", "object", "x"]
)
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS, part, max_size=4),
    max_leaves=12,
)
PARTS = st.fixed_dictionaries(
    {},
    optional={"type": NESTED | st.sampled_from(["input_text", "input_image", "output_text", "text"]), "text": NESTED},
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "type": NESTED | st.sampled_from(["message", "function_call_output"]),
        "role": NESTED | st.sampled_from(["user", "assistant"]),
        "content": NESTED | st.lists(PARTS, max_size=2),
    },
)
WILD = NESTED | st.lists(MESSAGES, max_size=2)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_made_up_value_satisfies_its_schema(schema):
    jsonschema.Draft202012Validator(schema).validate(json.loads(example(schema, PROMPT)))


def test_a_schema_cannot_make_the_answer_huge():
    bomb = {"type": "array", "minItems": 10**9, "items": {"type": "string", "minLength": 10**9, "maxLength": 20}}
    assert len(example(bomb, PROMPT)) < 10_000


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "array"}, "object"),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, "additionalProperties"),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, "Missing 'a'"),
        (
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["a"],
                "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"b": {}}}}},
            },
            "additionalProperties",
        ),
    ],
)
def test_strict_schemas_are_held_to_what_openai_takes(schema, why):
    with pytest.raises(ApiError) as caught:
        json_schema.check_schema(schema, "text.format.schema", strict=True)
    assert why in caught.value.message
    assert caught.value.code == "invalid_json_schema"
    json_schema.check_schema(schema, "text.format.schema", strict=False)


def test_a_sentence_names_the_subject_and_leaves_labels_out():
    made = text.sentence(PROMPT)
    assert "Oak desk" in made
    assert "material" not in made
    assert text.sentence("") == text.sentence("")
    assert "".join(text.pieces(made)) == made


FUZZ = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@FUZZ
@given(wild=WILD)
def test_no_input_gets_through_the_checks_and_breaks_the_answer(wild):
    only_refused(lambda call: make(State(Settings()), call), {"model": "gpt-6-luna", "input": wild})
    only_refused(chat.make, {"model": "gpt-6-luna", "messages": wild})


@FUZZ
@given(wild=NESTED)
def test_no_schema_does(wild):
    form = {"format": {"type": "json_schema", "name": "x", "schema": wild}}
    only_refused(lambda call: make(State(Settings()), call), {"model": "gpt-6-luna", "input": "x", "text": form})


@FUZZ
@given(
    wild=NESTED,
    field=st.sampled_from(["text", "metadata", "reasoning", "tools", "instructions", "model", "conversation"]),
)
def test_no_other_field_of_a_response_does(wild, field):
    body = {"model": "gpt-6-luna", "input": "x", field: wild}
    only_refused(lambda call: make(State(Settings()), call), body)


@FUZZ
@given(wild=NESTED, field=st.sampled_from(["response_format", "input", "model", "n", "stop"]))
def test_no_field_of_another_request_does(wild, field):
    said = [{"role": "user", "content": "x"}]
    only_refused(chat.make, {"model": "gpt-6-luna", "messages": said} | {field: wild})
    only_refused(embeddings.make, {"model": "text-embedding-3-small", "input": "x", "dimensions": 2} | {field: wild})
    only_refused(moderations.make, {"input": "x"} | {field: wild})


def only_refused(answer, body):
    """Anything but an answer or a refusal is a fault of ours, and fails the test."""
    try:
        answer(Call("req_1", body=body))
    except ApiError as error:
        assert 400 <= error.status < 500
