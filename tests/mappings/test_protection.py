"""Protected fields: what is left out, what goes under a mask and comes back, and what the preview says of it."""

from dataclasses import replace

from mappings.apply import MappingSpec, RecordView, RuleSpec, to_record, to_request
from mappings.choices import FROM_HUB, TO_HUB
from mappings.preview import show
from mappings.protection import protect, unmasked

MARA = RecordView(
    "C-1",
    {
        "name": "Mara Lindqvist",
        "email": "mara@lindqvist.example",
        "notes": "Write to mara@lindqvist.example, not to Mara Lindqvist's office.",
        "phones": ["555 100", "555 200"],
        "credit": 4200.0,
        "country": "SE",
    },
    {"tax": "SE-998877"},
    "Customer",
)
ALL = RuleSpec("formula", "input", "$lines(fields) & $lines(custom)")


def out(*protection: tuple[str, str], rules=(ALL,)) -> MappingSpec:
    return MappingSpec(1, "out", 1, FROM_HUB, "Customer", "create_response", rules=tuple(rules), protection=protection)


def test_a_value_that_is_never_sent_is_gone_from_every_rule_and_where_another_field_repeats_it():
    applied = to_request(out(("fields.email", "never send"), ("custom.tax", "never send")), MARA)
    assert applied.ok
    assert "lindqvist.example" not in applied.body["input"] and "998877" not in applied.body["input"]
    assert "Write to [left out], not" in applied.body["input"]
    assert applied.protected.masks == {}


def test_a_filter_sees_what_is_not_sent():
    spec = out(("fields.email", "never send"))
    assert to_request(replace(spec, filter="$exists(fields.email)"), MARA).ok


def test_a_masked_value_is_sent_as_a_mask_and_each_value_has_its_own():
    applied = to_request(out(("fields.phones", "masked"), ("fields.name", "masked"), ("fields.credit", "masked")), MARA)
    assert "phones: [PHONES_1], [PHONES_2]" in applied.body["input"]
    assert "not to [NAME_3]'s office" in applied.body["input"]
    assert "4200" not in applied.body["input"] and "Mara Lindqvist" not in applied.body["input"]
    assert applied.protected.masks == {}


def test_a_mask_is_put_back_in_the_answer_where_that_was_asked():
    spec = out(("fields.name", "masked, put back"), ("fields.email", "masked"))
    masks = to_request(spec, MARA).protected.masks
    assert masks == {"[NAME_1]": "Mara Lindqvist"}
    taker = MappingSpec(
        2, "back", 1, TO_HUB, "Customer", "create_response",
        rules=(RuleSpec("field", "custom.text", "answer.text"), RuleSpec("field", "custom.raw", "text")),
    )  # fmt: skip
    source = {"response": {}, "text": '{"text": "Dear [NAME_1] ([EMAIL_2])"}', "masks": masks}
    applied = to_record(taker, source, MARA)
    assert applied.changes["custom.text"] == "Dear Mara Lindqvist ([EMAIL_2])"
    assert "masks" not in applied.body


def test_a_value_with_quotes_comes_back_into_a_structured_answer_whole():
    masks = {"[NAME_1]": 'The "Oak"\nRoom'}
    taker = MappingSpec(2, "b", 1, TO_HUB, "C", "create_response", rules=(RuleSpec("field", "fields.x", "answer.x"),))
    source = {"response": {}, "text": '{"x": "[NAME_1]!"}', "masks": masks}
    assert to_record(taker, source, MARA).changes == {"fields.x": 'The "Oak"\nRoom!'}


def test_the_preview_says_what_becomes_of_protected_fields():
    spec = out(("fields.email", "masked"), ("fields.country", "never log"), ("fields.absent", "masked"))
    shown = show(spec, MARA.as_dict())
    assert shown.protected == [
        ("fields.country", "Sent, and not kept in the log", ""),
        ("fields.email", "Sent under a mask", "[EMAIL_1]"),
    ]
    assert "[EMAIL_1]" in shown.parts[0].pieces[0].text


def test_the_record_itself_stays_as_it_is():
    parts = {"fields": {"a": "secret", "b": ["secret"]}, "custom": {}}
    found = protect(parts, (("fields.a", "masked, put back"), ("fields.a", "never log")))
    assert parts == {"fields": {"a": "secret", "b": ["secret"]}, "custom": {}}
    assert found.unlogged == ("secret",)
    assert unmasked(found.parts, found.masks) == parts
