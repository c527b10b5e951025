"""From schema to fields and back: whatever a value is, it comes back; whatever was typed stays."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_api.catalogue import OPERATIONS, schemas
from openai_api.catalogue.shapes import Shapes, step
from operations.fields.checks import problems
from operations.fields.editing import edited
from operations.fields.sending import files, from_pairs, pairs
from operations.fields.typed import ABSENT, Chosen, Reading, parsed, rows, typed_of

NAMES = st.text(st.characters(codec="utf-8"), max_size=6)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12)
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
PLAIN = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "enum": ["oak", "ash"]},
        {"type": "string", "suggest": ["oak"], "null": True},
        {"type": "integer", "minimum": 0},
        {"type": "number", "maximum": 2},
        {"type": "boolean"},
        {"type": "object"},
        {"$ref": "Tree"},
        {},
    ]
)
SCHEMAS = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, min_size=1, max_size=3).map(
            lambda named: {"type": "object", "properties": named}
        ),
        inner.map(lambda one: {"type": "object", "extra": one}),
        inner.map(lambda one: {"type": "array", "items": one}),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: {"anyOf": some}),
    ),
    max_leaves=6,
)
TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "in": {"type": "array", "items": {"$ref": "Tree"}}},
}
SHAPES = Shapes({"Tree": TREE})
OFFERED = Shapes(schemas())
QUICK = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def same(left, right):
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def read(schema, typed, shapes=SHAPES, path="body"):
    reading = Reading(shapes, typed)
    return reading.value(schema, path), reading.problems


def wrong(schema, value, shapes=SHAPES):
    return dict(problems(shapes, schema, value, "body"))


@QUICK
@given(SCHEMAS, VALUES)
def test_every_value_comes_back_from_its_fields(schema, value):
    typed = typed_of(SHAPES, schema, value, "body")
    back, troubles = read(schema, typed)
    assert same(back, value) and not troubles


@QUICK
@given(st.sampled_from(sorted(OPERATIONS)), VALUES)
def test_every_value_comes_back_from_every_form_of_the_catalogue(id, value):
    for schema in OPERATIONS[id].bodies.values():
        assert same(read(schema, typed_of(OFFERED, schema, value, "body"), OFFERED)[0], value)


@QUICK
@given(SCHEMAS, VALUES)
def test_a_field_made_json_and_fields_again_says_the_same(schema, value):
    typed = typed_of(SHAPES, schema, value, "body")
    as_text = edited(SHAPES, schema, typed, "json", "body")
    assert same(parsed(as_text["body#json"]), value)
    assert same(read(schema, edited(SHAPES, schema, as_text, "fields", "body"))[0], value)


@QUICK
@given(
    SCHEMAS,
    st.dictionaries(st.sampled_from(["body", "body#in", "body#as", "body#json", "body/0", "body/0#in"]), st.text()),
)
def test_whatever_is_posted_is_read_or_has_a_problem(schema, typed):
    value, troubles = read(schema, typed)
    assert value is ABSENT or same(value, value)
    assert all(sentence.endswith(".") for sentence in troubles.values())
    if value is not ABSENT:
        assert all(sentence.endswith(".") for sentence in wrong(schema, value).values())


LIST = {"type": "array", "items": {"type": "string"}, "maxItems": 2, "minItems": 1}


def test_rows_come_and_go_and_keep_their_names():
    typed = typed_of(SHAPES, LIST, ["a", "b", "c"], "body")
    typed = edited(SHAPES, LIST, typed, "remove", "body/1")
    assert read(LIST, typed)[0] == ["a", "c"] and rows(typed, "body") == ["body/0", "body/2"]
    typed = edited(SHAPES, LIST, typed, "add", "body") | {"body/3": "d"}
    assert read(LIST, typed)[0] == ["a", "c", "d"]


def test_an_empty_row_is_not_sent_and_an_empty_list_is():
    typed = edited(SHAPES, LIST, {}, "add", "body")
    assert read(LIST, typed)[0] == [] and read(LIST, {})[0] is ABSENT
    assert wrong(LIST, []) == {"body": "This needs at least 1 row and has 0. Add what is missing."}


def test_what_the_schema_does_not_know_is_kept_beside():
    value = {"name": "oak", "age": 300}
    typed = typed_of(SHAPES, TREE, value, "body")
    assert json.loads(typed["body#more"]) == {"age": 300}
    assert read(TREE, typed | {"body#more": "[1]"})[1] == {
        "body": "The other fields are no JSON object. Write them as {“name”: value}."
    }


def test_a_shape_is_chosen_by_its_constants():
    kinds = [
        {"type": "object", "properties": {"type": {"type": "string", "enum": [kind]}}, "required": ["type"]}
        for kind in "ab"
    ]
    union = {"anyOf": [{"type": "string"}, *kinds]}
    assert typed_of(SHAPES, union, {"type": "b"}, "body")["body#as"] == "2"
    assert typed_of(SHAPES, union, "b", "body") == {"body#as": "0", "body": "b"}
    assert [SHAPES.label(branch) for branch in SHAPES.branches(union)] == ["text", "a", "b"]


def test_names_with_signs_of_the_path_stay_apart():
    schema = {"type": "object", "properties": {"a/b": {"type": "string"}, "a": TREE, "a#in": {"type": "string"}}}
    value = {"a/b": "1", "a": {"name": "2"}, "a#in": "3"}
    assert read(schema, typed_of(SHAPES, schema, value, "body"))[0] == value
    assert step("a", "b/c#d~") == "a/b~1c~2d~0"


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": "number", "minimum": 0, "maximum": 2}, 3, "3 is too much. Enter 0 to 2."),
        ({"type": "integer", "minimum": 1}, 0, "0 is too little. Enter at least 1."),
        ({"type": "number", "exclusiveMinimum": 0}, 0, "0 is too little. Enter more than 0."),
        ({"type": "integer"}, 1.5, "This is a number, where a whole number belongs. Enter that."),
        ({"type": "integer"}, True, "This is true or false, where a whole number belongs. Enter that."),
        ({"type": "string", "enum": ["a", "b"]}, "c", "“c” is none of the values it may have. Choose one of a, b."),
        ({"type": "string", "maxLength": 2}, "abc", "This has 3 characters, more than the 2 it may have. Shorten it."),
        ({"type": "string", "minLength": 1}, "", "This has 0 characters and needs at least 1. Write more."),
        ({"type": "string", "pattern": "^a+$"}, "b", "This does not have the form that is needed: ^a+$. Correct it."),
        (LIST, ["a", "b", "c"], "3 rows are more than the 2 it may have. Remove some."),
        ({"type": "object", "extra": False}, {"a": 1}, "“a” is no field of this. Take it out, or correct its name."),
        ({"type": "object"}, None, "This is null, where an object belongs. Enter that."),
        ({"type": "string"}, "\ud800", "This holds half of a character, which cannot be sent. Write the text anew."),
    ],
)
def test_what_is_wrong_is_said(schema, value, said):
    assert wrong(schema, value) == {"body": said}


def test_null_is_right_where_the_schema_says_so():
    assert not wrong({"type": "string", "null": True}, None) and not wrong({"anyOf": [LIST, TREE], "null": True}, None)


def test_what_is_missing_is_said_at_its_field():
    schema = TREE | {"required": ["name"]}
    assert wrong(schema, {}) == {"body/name": "This is empty, and the operation needs it. Enter it."}


@pytest.mark.parametrize("text", ["abc", "NaN", "1e999", "true", "1_0", "[" * 3000])
def test_text_that_is_no_number_stays_and_is_said(text):
    value, troubles = read({"type": "number"}, {"body": text})
    assert value is ABSENT and "Enter a number, such as 0.7." in troubles["body"]


def test_json_says_where_it_is_wrong():
    assert read({}, {"body": '{"a": 1,\n "b" 2}'})[1]["body"].startswith("This is no JSON: line 2, character 6")
    assert "too deeply" in read({}, {"body": "[" * 100_000})[1]["body"]


def test_map_rows_need_one_name_each():
    schema = {"type": "object", "extra": {"type": "string"}}
    typed = {"body#in": "1", "body/0#in": "1", "body/0#key": "a", "body/0": "1", "body/1#in": "1", "body/1#key": "a"}
    assert "stands here twice" in read(schema, typed)[1]["body/1"]
    typed = {"body#in": "1", "body/0#in": "1", "body/0": "1"}
    assert "no name" in read(schema, typed)[1]["body/0"]


def test_values_go_out_as_the_official_libraries_write_them():
    given = {
        "purpose": "batch",
        "expires_after": {"anchor": "created_at", "seconds": 3600},
        "include": ["a", "b"],
        "x[]": [1],
    }
    assert pairs(given | {"stream": True}) == (
        ("purpose", "batch"),
        ("expires_after[anchor]", "created_at"),
        ("expires_after[seconds]", "3600"),
        ("include[]", "a"),
        ("include[]", "b"),
        ("x[]", "1"),
        ("stream", "true"),
    )
    one, two = Chosen("body/file", "a.txt"), Chosen("body/image/0", "b.png")
    assert list(files({"file": one, "image": [two], "n": 1})) == [("file", one), ("image[]", two)]
    assert pairs({"file": one}) == ()


QUERY = {
    "type": "object",
    "properties": {
        "limit": {"type": "integer"},
        "order": {"type": "string"},
        "stream": {"type": "boolean"},
        "include": {"type": "array", "items": {"type": "string"}},
        "x[]": {"type": "array", "items": {"type": "integer"}},
        "after": {"type": "object", "properties": {"anchor": {"type": "string"}, "seconds": {"type": "integer"}}},
    },
}


@QUICK
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "limit": st.integers(),
            "order": st.text(min_size=1),
            "stream": st.booleans(),
            "include": st.lists(st.text(), min_size=1),
            "x[]": st.lists(st.integers(), min_size=1),
            "after": st.fixed_dictionaries({"anchor": st.text(), "seconds": st.integers()}),
        },
    )
)
def test_what_went_out_as_pairs_comes_back(value):
    assert from_pairs(SHAPES, QUERY, pairs(value)) == value


def test_pairs_that_make_no_sense_stay_text():
    given = [
        ("limit", "many"),
        ("a[b", "1"),
        ("order[]", "x"),
        ("order", "y"),
        ("order[z]", "w"),
        ("f[][g]", "1"),
        ("", ""),
    ]
    assert from_pairs(SHAPES, QUERY, given)["limit"] == "many"
