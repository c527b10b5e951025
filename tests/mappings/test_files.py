"""Mappings as files: readable, read back as they were, refused with line and field, and shown before they change anything."""

import json
import string

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from logs.audit import SYSTEM
from mappings import actions, defaults
from mappings.choices import PROTECTIONS
from mappings.files import FileError, read, written
from mappings.importing import exported
from mappings.models import Mapping, MappingVersion
from tests import builders

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
NAME = st.text(string.ascii_letters + string.digits + " äß", min_size=1, max_size=12).filter(str.strip)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
COMMON = {"default": TEXT, "required": st.booleans(), "active": st.booleans()}
COMMON |= {"update_mode": st.sampled_from(["overwrite", "if_empty", "if_new", "append"])}
COMMON |= {"target": st.builds("custom.{}".format, NAME)}
TABLES = st.dictionaries(TEXT, JSON, min_size=1, max_size=3).map(lambda table: [list(pair) for pair in table.items()])
RULES = st.one_of(
    st.fixed_dictionaries({**COMMON, "kind": st.just("static"), "source": TEXT, "lookup": st.just([])}),
    st.fixed_dictionaries({**COMMON, "kind": st.just("lookup"), "source": st.just("text"), "lookup": TABLES}),
    st.fixed_dictionaries(
        {
            **COMMON,
            "kind": st.just("formula"),
            "source": st.sampled_from(['"a\nb" &\n text', "1"]),
            "lookup": st.just([]),
        }
    ),
)
PROTECTED = st.builds(lambda name, mode: [f"fields.{name}", mode], NAME, st.sampled_from(list(PROTECTIONS)))
MAPPINGS = st.fixed_dictionaries(
    {
        "name": NAME,
        "entity": NAME,
        "direction": st.just("to_hub"),
        "operation": st.sampled_from(["create_response", "event", "create_image"]),
        "task": NAME | st.just(""),
        "protection": st.lists(PROTECTED, max_size=2),
        "sync_type": st.sampled_from(["add_and_update", "add", "update", "delete"]),
        "filter": st.sampled_from(["", "true", "\n text = 'a'\n"]),
        "error_filter": st.sampled_from(["", "false"]),
        "description": TEXT,
        "order": st.integers(0, 2**31 - 1),
        "active": st.booleans(),
        "rules": st.lists(RULES, max_size=3),
    }
)


@given(st.lists(MAPPINGS, min_size=1, max_size=3, unique_by=lambda said: said["name"]))
def test_what_is_written_is_read_back_as_it_was(mappings):
    assert read(written("Shop", mappings)) == mappings


@pytest.fixture
def installation(db):
    installation = builders.installation()
    defaults.create_defaults(installation)
    return installation


def address(installation, name: str = "import") -> str:
    return reverse(f"mappings:{name}", args=[installation.pk])


def test_a_file_is_readable(installation):
    text = exported(installation)
    assert '"input"' in text and '{ "' not in text
    assert '        {"kind": "static", "target": "store", "source": "true"}' in text
    assert '            "    $text := $type($value)' in text and "\\n  )})" not in text
    assert '"update_mode": "overwrite"' not in text


def test_export_and_import_elsewhere_make_the_same_mappings(as_administrator, installation):
    other = builders.installation(name="Elsewhere", webhook_key="whk_elsewhere_canary_9876543210")
    answer = as_administrator.get(address(installation, "export"))
    assert 'filename="openai-test-mappings.json"' in answer.headers["Content-Disposition"]
    file = SimpleUploadedFile("mappings.json", answer.content)
    page = as_administrator.post(address(other), {"file": file}).content.decode()
    assert page.count("New</span>") == 7 and not other.mappings.exists()
    as_administrator.post(address(other), {"text": answer.content.decode(), "import": "1"})
    assert exported(other).replace("Elsewhere", installation.name) == exported(installation)


def test_an_import_shows_the_changes_and_then_makes_them_as_versions(as_administrator, installation):
    document = json.loads(exported(installation))
    document["mappings"] = document["mappings"][:2]
    document["mappings"][0]["rules"][0] = {"target": "model", "kind": "static", "source": "gpt-6-terra"}
    text = json.dumps(document)
    page = as_administrator.post(address(installation), {"text": text}).content.decode()
    assert "gpt-6-terra</ins>" in page and "As it is" in page
    assert MappingVersion.objects.filter(number=2).count() == 0
    done = as_administrator.post(address(installation), {"text": text, "import": "1"}, follow=True).content.decode()
    assert "Mappings imported: 1 changed, 1 as before." in done
    changed = MappingVersion.objects.get(number=2)
    assert (changed.note, changed.said["rules"][0]["source"]) == ("Imported", "gpt-6-terra")
    assert installation.mappings.count() == 7
    again = as_administrator.post(address(installation), {"text": exported(installation)}).content.decode()
    assert "Nothing to import" in again


FILE = """{
  "patchbay_mappings": 1,
  "mappings": [
    {
      "name": "A", "entity": "Product", "direction": "from_hub", "operation": "create_response",
      "rules": [
        {"target": "input", "kind": "field", "source": "fields.name"},
        {
          "target": "store",
          "kind": "static",
          "source": "true"
        }
      ]
    }
  ]
}"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"static"', '"magic"', "Line 10, mapping 1, rule 2, kind: "),
        ('"fields.name"', '"fields..name"', "Line 7, mapping 1, rule 1, source: "),
        ('"target": "store"', '"target": "a..b"', "Line 9, mapping 1, rule 2, target: "),
        ('"source": "true"', '"source": 7', "Line 11, mapping 1, rule 2, source: This is no text. Put it in quotes."),
        ('"source": "true"', '"required": 1', "Line 11, mapping 1, rule 2, required: Write true or false."),
        ('"source": "true"', '"sauce": "true"', "Line 11, mapping 1, rule 2, sauce: There is no such field."),
        ('"source": "true"', '"source": "\\u0000"', "Line 11, mapping 1, rule 2, source: It holds a character"),
        ('"target": "store",', "", "Line 8, mapping 1, rule 2, target: It is missing. Add it."),
        (
            '"kind": "static"',
            '"kind": "lookup"',
            "Line 8, mapping 1, rule 2, lookup: A lookup needs at least one line.",
        ),
        (
            '"kind": "static"',
            '"kind": "static", "lookup": {"a": 1e999}',
            "Line 10, mapping 1, rule 2, lookup: It holds",
        ),
        ('"from_hub"', '"sideways"', "Line 5, mapping 1, direction: "),
        ('"create_response"', '"event"', "Line 5, mapping 1, operation: Events come to the hub."),
        ('"rules": [', '"filter": "1 +", "rules": [', "Line 6, mapping 1, filter: Line 1, character"),
        (
            '"rules": [',
            '"protection": [["fields.a", "hidden"]], "rules": [',
            "Line 6, mapping 1, protection: “hidden” is",
        ),
        (
            '"rules": [',
            '"protection": ["fields.a"], "rules": [',
            "Line 6, mapping 1, protection: Write a list of pairs",
        ),
        ('"name": "A"', f'"name": "{"A" * 121}"', "Line 5, mapping 1, name: "),
        ('"name": "A"', '"name": "A", "name": "B"', "Line 5: name stands twice in one object. Take one of them out."),
        (
            '"name": "A",',
            '"name": "A"',
            "Line 5: Character 19: this is not JSON (expecting ',' delimiter). Correct it.",
        ),
        ('"patchbay_mappings": 1', '"patchbay_mappings": 2', "Line 1: This is no file of mappings."),
        ('"true"', "NaN", "Line 1: NaN is no value of JSON."),
    ],
)
def test_what_is_wrong_is_said_with_line_and_field(old, new, said):
    with pytest.raises(FileError) as refused:
        read(FILE.replace(old, new))
    assert refused.value.problems[0].sentence.startswith(said), refused.value.problems


NO_FILES = ["", "[" * 100_000, "[" * 200 + "]" * 200, "7", '{"patchbay_mappings": 1}']


@pytest.mark.parametrize("text", [*NO_FILES, '{"patchbay_mappings": 1, "mappings": [7]}'], ids=lambda text: text[:9])
def test_what_is_no_file_of_mappings_is_refused(text):
    with pytest.raises(FileError):
        read(text)


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_changed(as_administrator, installation):
    text = exported(installation).replace('"field"', '"feeld"').replace('"from_hub"', '"to_hub"', 1)
    page = as_administrator.post(address(installation), {"text": text, "import": "1"}).content.decode()
    assert "errors: nothing was changed" in page and "mapping 2, rule 1, kind" in page
    assert "&quot;feeld&quot;" in page
    assert not MappingVersion.objects.filter(number=2).exists()


def test_the_other_direction_needs_another_name(installation):
    directions = dict(installation.mappings.values_list("name", "direction"))
    text = exported(installation).replace('"Create response to Product"', '"Message to Create response"', 1)
    with pytest.raises(FileError, match="goes the other way here"):
        read(text, directions)


def test_an_import_of_nothing_or_of_a_picture_is_refused_beside_the_field(as_administrator, installation):
    assert "There is nothing to import" in as_administrator.post(address(installation), {"text": " "}).content.decode()
    picture = SimpleUploadedFile("a.png", b"\x89PNG\xff")
    page = as_administrator.post(address(installation), {"file": picture}).content.decode()
    assert "This is no text in UTF-8" in page


def test_an_import_keeps_the_rows_of_rules_and_the_flows_of_a_mapping(installation):
    mapping = installation.mappings.get(name="Product to Create response")
    rules = list(mapping.rules.values_list("pk", flat=True))
    said = actions.snapshot(mapping)
    said["rules"] = said["rules"][::-1]
    actions.write_mapping(SYSTEM, mapping, said)
    assert list(mapping.rules.values_list("pk", flat=True)) == rules[::-1]
    assert Mapping.objects.get(pk=mapping.pk).version == 2
