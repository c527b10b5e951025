"""The editor's pure parts: fields of both sides, the board, connecting, lookup tables and repairs."""

import pytest

from expressions.names import read_by
from mappings import fields, tables
from mappings.apply import MappingSpec, RecordView, RuleSpec, to_request
from mappings.board import ROW, Board, Shown, board, curve
from mappings.choices import FROM_HUB, TO_HUB
from mappings.connecting import connected, target_for
from mappings.paths import get, parts_of, written
from mappings.preview import written_lines
from mappings.repairing import repaired
from mappings.samples import document, document_for
from ui.code import code_lines

NAMES = {"fields": {"name": "Lamp", "stock": 3}, "custom": {"OpenAI Response Text": None}}
RECORD = RecordView("A-1", {"name": "Oak desk", "size": {"width": 80}}, {"tone": "warm"}, "Product")


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ('"Sell " & fields.name', [("fields", "name")]),
        ("custom.`OpenAI Response Text`", [("custom", "OpenAI Response Text")]),
        ("$join($each(fields, function($v, $n) { $n & key }))", [("fields",), ("key",)]),
        ("fields.parts[price > 10].name", [("fields", "parts", "name"), ("price",)]),
        ("1 +", []),
    ],
)
def test_a_formula_says_what_it_reads(source, read):
    assert sorted(read_by(source)) == sorted(read)


@pytest.mark.parametrize("parts", [("fields", "name"), ("custom", "OpenAI Response Text"), ("fields", "a.b", "3d")])
def test_a_path_that_was_written_is_read_back(parts):
    assert tuple(parts_of(written(parts))) == parts


def test_sources_are_what_the_sample_holds_and_what_the_entity_has():
    found = {each.path: each for each in fields.sources(RECORD.as_dict(), NAMES, FROM_HUB, "gpt-6-luna")}
    assert (found["fields.name"].kind, found["fields.name"].sample) == ("text", "Oak desk")
    assert (found["fields.size.width"].kind, found["fields.size.width"].sample) == ("number", "80")
    assert found["fields.stock"].sample == "3", "from another record"
    assert found["custom.`OpenAI Response Text`"].sample == ""
    assert found["model"].sample == "gpt-6-luna"
    assert all(
        get({**RECORD.as_dict(), "model": ""}, path) is not None for path in ("key", "custom.tone", "fields.name")
    )


def test_sources_of_an_answer_are_found_in_it_and_in_the_record():
    sample = document("Product", TO_HUB, "create_response")
    found = [each.path for each in fields.sources(sample, NAMES, TO_HUB)]
    assert found[0] == "text"
    assert {"response.id", "response.usage.output_tokens", "request.input", "record.fields.name", "now"} <= {*found}
    assert "record.custom.`OpenAI Response Text`" in found


def test_targets_of_a_request_are_those_of_the_operation_with_the_usual_ones_first():
    found = fields.request_targets("create_response", "gpt-6-luna")
    paths = [each.path for each in found]
    assert paths[:3] == ["model", "instructions", "input"]
    assert {"reasoning.effort", "text.format", "max_output_tokens"} <= {*paths}
    assert [each.path for each in found if each.required] == ["input"], "the installation has a model"
    assert [each.path for each in fields.request_targets("create_image") if each.required] == ["prompt"]
    assert fields.request_targets("event") == []
    effort = next(each for each in found if each.path == "reasoning.effort")
    assert "low" in effort.choices


def test_targets_of_a_record_are_its_fields():
    assert [each.path for each in fields.record_targets(NAMES)] == [
        "fields.name",
        "fields.stock",
        "custom.OpenAI Response Text",
    ]


def drawn(*rules: RuleSpec, **what: object) -> Board:
    spec = MappingSpec(1, "out", 1, FROM_HUB, "Product", "create_response", rules=rules, model="gpt-6-luna")
    left = fields.sources(RECORD.as_dict(), NAMES, FROM_HUB, spec.model)
    return board(
        spec, to_request(spec, RECORD), left, fields.request_targets(spec.operation, spec.model), Shown(**what)
    )


def test_a_cord_goes_from_every_field_that_a_rule_reads_to_the_target_that_it_fills():
    found = drawn(
        RuleSpec("formula", "input", "fields.name & custom.tone"), RuleSpec("static", "store", "true"), pks=[7, 8]
    )
    names = [row.field.path for row in found.sources]
    ends = sorted([curve(names.index("fields.name"), 0), curve(names.index("custom.tone"), 0)])
    assert sorted(cord.d for cord in found.cords) == ends
    assert {(cord.kind, cord.pk) for cord in found.cords} == {("formula", 7)}
    assert [row.field.path for row in found.sources if row.used] == ["fields.name", "custom.tone"]
    assert [(row.field.path, row.kind) for row in found.targets[:2]] == [("input", "formula"), ("store", "static")]


def test_a_text_has_a_cord_for_each_of_its_places():
    found = drawn(RuleSpec("template", "input", "Sell {{ fields.name }}, {{ $uppercase(custom.tone) }}: fields.stock"))
    assert [row.field.path for row in found.sources if row.used] == ["fields.name", "custom.tone"]


def test_what_reads_all_fields_or_within_one_has_cords_from_them():
    def used(source: str) -> list[str]:
        return [row.field.path for row in drawn(RuleSpec("formula", "input", source)).sources if row.used]

    assert used("$string(fields)") == ["fields.name", "fields.size.width", "fields.stock"]
    assert used("fields.name.first") == ["fields.name"]
    assert used("fields.size") == ["fields.size.width"]


def test_what_is_asked_of_an_answer_is_a_source():
    rule = RuleSpec("field", "fields.name", "answer.title")
    spec = MappingSpec(1, "back", 1, TO_HUB, "Product", "create_response", rules=(rule,))
    found = {each.path: each.sample for each in fields.sources(document_for(spec), NAMES, TO_HUB)}
    assert found["answer.title"] == "Sample title"


def test_a_cord_ends_in_the_middle_of_its_rows_and_hangs_the_lower_the_longer_it_is():
    assert curve(10, 1) == "M0 378C42 411 58 87 100 54"
    assert drawn().height % ROW == 0


def test_what_is_required_and_not_filled_is_marked():
    assert [row.field.path for row in drawn().missing] == ["input"]
    assert drawn(RuleSpec("field", "input", "key")).missing == []
    assert drawn(RuleSpec("field", "input.x", "key")).missing == [], "a part of it is filled"


def test_the_rule_that_is_open_lies_on_top_and_what_it_reads_is_hot():
    found = drawn(RuleSpec("field", "user", "key"), RuleSpec("field", "input", "fields.name"), selected=0)
    assert [cord.selected for cord in found.cords] == [False, True]
    assert [row.field.path for row in found.sources if row.hot] == ["key"]


def test_an_error_is_shown_at_its_target():
    found = drawn(RuleSpec("formula", "input", "$nope(1)"))
    assert [row.field.path for row in found.targets if row.failed] == ["input"]


def test_many_fields_are_shown_when_asked_for_but_used_ones_always():
    few, all_ = drawn(RuleSpec("field", "input", "fields.absent")), drawn(everything=True)
    assert "fields.absent" in [row.field.path for row in few.sources]
    assert few.more_targets > 0
    assert all_.more == 0


@pytest.mark.parametrize(
    ("rule", "kind", "source"),
    [
        (RuleSpec("static", "store", "true"), "field", "key"),
        (RuleSpec("lookup", "user", "fields.a"), "lookup", "key"),
        (RuleSpec("formula", "input", "fields.a"), "formula", 'fields.a & " " & key'),
        (RuleSpec("template", "input", "Sell {{ fields.a }}"), "template", "Sell {{ fields.a }} {{ key }}"),
    ],
)
def test_a_cord_to_a_target_that_has_a_rule_changes_the_rule(rule, kind, source):
    made = connected(rule, "key")
    assert (made.kind, made.source) == (kind, source)


def test_a_target_that_takes_names_gets_that_of_the_source():
    targets = fields.request_targets("create_response")
    assert target_for("metadata", "custom.`OpenAI Text`", targets) == "metadata.OpenAI_Text"
    assert target_for("input", "fields.name", targets) == "input"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a,Alpha\nb,Beta\n", [("a", "Alpha"), ("b", "Beta")]),
        ("\ufeffa;1,5\r\n\r\nb;2\r\n", [("a", "1,5"), ("b", "2")]),
        ('a\t"two\nlines"', [("a", "two\nlines")]),
    ],
)
def test_csv_is_read_with_the_separator_of_its_first_line(text, lines):
    assert tables.from_csv(text) == lines


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,1\nb,2,3", "Line 2 of the CSV has 3 values"),
        ("a,1\n\nb", "Line 3 of the CSV has 1 value"),
        ('a,1\nb,"x', "Line 2 of the CSV can't be read"),
        ("a,1\na,2", "Line 2: “a” is in line 1 already"),
        (",1", "Line 1 has no value to look for"),
        ("", "has no lines"),
    ],
)
def test_what_is_wrong_with_a_table_names_the_line(text, sentence):
    with pytest.raises(tables.TableError, match=sentence.replace("(", r"\(")):
        tables.from_csv(text)


def test_lines_that_are_imported_stand_in_place_of_those_that_look_for_the_same():
    assert tables.merged([("a", "1"), ("", ""), ("b", "2")], [("b", "3"), ("c", "4")]) == [
        ("a", "1"),
        ("b", "3"),
        ("c", "4"),
    ]


def test_a_table_comes_back_as_it_was_written():
    table = {"a": "Alpha", "b": 3, "c": "3", "d": True, "e": {"x": [1]}, "f": " blanks "}
    assert tables.read(tables.lines_of(table)) == table


@pytest.mark.parametrize(
    ("repair", "source"),
    [
        ("5:5:format", "1 + $format(1)"),
        ("400:5:format", "1 + $fomat(1)"),
        ("5:5:rm -rf", "1 + $fomat(1)"),
        ("", "1 + $fomat(1)"),
    ],
)
def test_a_repair_puts_a_word_in_place_of_the_marked_part_or_changes_nothing(repair, source):
    assert repaired("1 + $fomat(1)", repair) == source


@pytest.mark.parametrize(
    ("target", "lines"),
    [("model", [2]), ("metadata", [3, 4, 5, 6]), ("metadata.b", [5]), ("input", [7, 8, 9, 10]), ("absent", [])],
)
def test_the_lines_that_a_rule_writes_are_marked(target, lines):
    body = {"model": "m", "metadata": {"a": 1, "b": "two\nlines"}, "input": ["x", {}]}
    shown = code_lines(body)
    assert list(written_lines(body, target, FROM_HUB)) == lines
    assert not lines or target.split(".")[-1] in shown[lines[0] - 1]
