"""Hostile records, rules and answers: each ends within its bounds in a message, the inputs stay as they are."""

import copy
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.apply import Applied, MappingSpec, RecordView, RuleSpec, to_record, to_request
from mappings.choices import FROM_HUB, KINDS, PROTECTIONS, TO_HUB, UPDATE_MODES, VALUE_TYPES
from mappings.preview import SampleError, read_sample, show

NOW = "2026-11-21T09:30:00.000Z"


def deep(levels: int):
    value: object = "bottom"
    for _ in range(levels):
        value = {"a": [value]}
    return value


def circular():
    value: dict[str, object] = {"name": "loop"}
    value["self"] = [value, value]
    return value


def doubled():
    """A little memory that writes out as very much."""
    value: list[object] = ["x"]
    for _ in range(40):
        value = [value, value]
    return value


RECORDS = {
    "deep": lambda: {"x": deep(5000)},
    "circular": lambda: {"x": circular()},
    "doubled": lambda: {"x": doubled()},
    "a huge text": lambda: {"x": "a b " * 400_000},
    "a huge list": lambda: {"x": list(range(300_000))},
    "10,000 fields": lambda: {f"field {number}": number for number in range(10_000)} | {"x": "there"},
    "NaN": lambda: {"x": float("nan")},
    "infinity": lambda: {"x": [float("-inf")]},
    "a large number": lambda: {"x": 10**5000},
    "half a surrogate": lambda: {"x": "\ud800 and \0", "\udfff": 1},
    "names of the language": lambda: {"x": {"$": 1, "__proto__": 2, "`": 3, "": 4, "{{": 5}},
    "no JSON value": lambda: {"x": {1, 2}},
    "places": lambda: {"x": "{{ $error('no') }}"},
}
RULES = [
    RuleSpec("field", "a", "fields.x"),
    RuleSpec("field", "b.c", "fields"),
    RuleSpec("lookup", "d", "fields.x", lookup={"there": "found"}),
    RuleSpec("formula", "e", "$lines(fields) & $string(fields.x)"),
    RuleSpec("formula", "f", "$count($distinct(**))"),
    RuleSpec("formula", "g", "$match($string(fields.x), /(a|b| )+/).match"),
    RuleSpec("template", "h", "Tell of {{ fields.x }} and {{ $truncateTokens($string(fields), 50) }}."),
    RuleSpec("template", "i", "{{ fields.x }}"),
    RuleSpec("static", "j", '{"a": 1e999}'),
    RuleSpec("static", "k", "[" * 50_000),
    RuleSpec("field", "l", ".".join(["fields"] * 90)),
    RuleSpec("template", "m", "{{" * 60_000),
    RuleSpec("formula", "n", "$split($string(fields.x), /(x+x+)+y|/)"),
    RuleSpec("formula", "o", "$toMillis($string(fields.x), $string(fields.x))"),
]


def spec(direction: str, rules=tuple(RULES), **over) -> MappingSpec:
    return MappingSpec(1, "m", 1, direction, "Product", "create_response", rules=tuple(rules), **over)


def ends_in_words(applied: Applied) -> None:
    """What is there can be sent or stored, and what is not says why."""
    for problem in applied.problems:
        assert problem.sentence.rstrip().endswith((".", "”", "}}", "…")) or problem.sentence
    json.dumps(applied.body, allow_nan=False, ensure_ascii=False).encode()
    json.dumps(applied.changes, allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize("make", RECORDS.values(), ids=RECORDS)
def test_a_hostile_record_ends_in_a_message(make):
    fields = make()
    begin = time.monotonic()
    protection = (("fields.x", "masked, put back"), ("fields.x", "never log"))
    for each in (spec(FROM_HUB), spec(FROM_HUB, protection=protection), spec(FROM_HUB, RULES[:1], filter="fields.x")):
        ends_in_words(to_request(each, RecordView("K", fields, {}, "Product"), now=NOW))
    back = [RuleSpec(r.kind, f"fields.{r.target}", r.source, lookup=r.lookup) for r in RULES]
    source = {"response": fields, "text": "", "request": fields, "event": None, "now": NOW}
    ends_in_words(to_record(spec(TO_HUB, back), source, RecordView("K", fields, {}, "Product")))
    assert time.monotonic() - begin < 60


TYPED = {
    "deep": '{"fields": ' + '{"x": ' * 9000 + "1" + "}" * 9001,
    "less deep": '{"fields": ' + '{"x": ' * 300 + "1" + "}" * 301,
    "NaN": '{"fields": {"x": NaN}}',
    "half a surrogate": '{"key": "\\ud800", "fields": {"x": "\\ud800\\u0000"}}',
    "a large number": '{"fields": {"x": ' + "9" * 5000 + "}}",
    "10,000 fields": json.dumps({"fields": {f"field {number}": number for number in range(10_000)}}),
}


@pytest.mark.parametrize("text", TYPED.values(), ids=TYPED)
def test_a_hostile_sample_is_shown_or_refused_in_words(text):
    try:
        shown = show(spec(FROM_HUB, RULES[:3]), read_sample(text))
    except SampleError as error:
        assert str(error).endswith(".")
    else:
        ends_in_words(shown.applied)


NAMES = st.text(max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
SOURCES = st.text(max_size=20) | st.sampled_from(
    ["fields.a", "answer.a", "answer.b.c", "key", "{{ fields.a }}", "a {{ answer.a", "$lines(fields)", "$slug(fields.a)",
     "fields.a & answer.a", "**", "$money(fields.a)", "$ ~> |fields|{'a': 1}|", "$sort(fields.a)", "$merge(fields.a)"]
)  # fmt: skip
RULE = st.builds(
    RuleSpec,
    kind=st.sampled_from([kind for kind, _ in KINDS]),
    target=st.sampled_from(["fields.a", "custom.b", "fields.c.d", "fields.a.b", "custom"]) | st.text(max_size=8),
    source=SOURCES,
    default=st.sampled_from(["", "3", "text", "NaN", "1e999"]),
    required=st.booleans(),
    update_mode=st.sampled_from([mode for mode, _ in UPDATE_MODES]),
    lookup=st.dictionaries(NAMES, VALUES, max_size=2),
    value_type=st.sampled_from([name for name, _ in VALUE_TYPES]),
)
PROTECTION = st.lists(
    st.tuples(st.sampled_from(["fields.a", "custom.b", "fields.", "x"]), st.sampled_from(list(PROTECTIONS))), max_size=3
)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(RULE, max_size=5), PROTECTION, st.dictionaries(st.sampled_from("ab"), VALUES), VALUES,
    st.sampled_from(["", "fields.a", "$nope(", "true"]),
)  # fmt: skip
def test_apply_is_pure_and_total(rules, protection, fields, answer, condition):
    """Whatever it is given, it answers, the same each time, and leaves its inputs alone."""
    record = RecordView("K", fields, {"b": answer}, "Product")
    source = {"response": answer, "text": json.dumps(answer), "request": fields, "masks": {"[A_1]": "x"}, "now": NOW}
    over = {"filter": condition, "protection": tuple(protection)}
    given_before = repr((rules, fields, answer, source))
    out, back = spec(FROM_HUB, rules, **over), spec(TO_HUB, rules, **over)
    for apply in (lambda: to_request(out, record, NOW), lambda: to_record(back, source, record)):
        once, twice = apply(), apply()
        assert repr(once) == repr(twice)
        ends_in_words(once)
    assert repr((rules, fields, answer, source)) == given_before
    assert copy.deepcopy(out) == out or "nan" in repr(out)
