"""Mappings by command: out of and into a file, and applied to a record."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from mappings import defaults
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation():
    installation = builders.installation()
    defaults.create_defaults(installation)
    return installation


def printed(*args: str) -> str:
    out = io.StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def test_an_export_goes_into_another_installation(installation, tmp_path: Path):
    other = builders.installation(name="Elsewhere", webhook_key="whk_elsewhere_canary_9876543210")
    file = tmp_path / "mappings.json"
    file.write_text(printed("export_mappings", installation.name), encoding="utf-8")
    tried = json.loads(printed("import_mappings", "Elsewhere", str(file), "--dry-run"))
    assert tried["dry_run"] and {each["change"] for each in tried["mappings"]} == {"add"}
    assert not other.mappings.exists()
    printed("import_mappings", "Elsewhere", str(file))
    again = json.loads(printed("import_mappings", "Elsewhere", str(file)))
    assert other.mappings.count() == 7 and {each["change"] for each in again["mappings"]} == {"same"}


def test_an_import_that_is_refused_says_line_and_field_in_one_sentence(installation, tmp_path: Path):
    file = tmp_path / "mappings.json"
    file.write_text(printed("export_mappings", installation.name).replace('"kind": "field"', '"kind": "feeld"'))
    with pytest.raises(CommandError, match=r"^Line \d+, mapping 1, rule 1, kind: .* And \d+ more\.$"):
        printed("import_mappings", installation.name, str(file))
    with pytest.raises(CommandError, match="nowhere.json cannot be read"):
        printed("import_mappings", installation.name, str(tmp_path / "nowhere.json"))
    with pytest.raises(CommandError, match="There is no installation “Nobody”"):
        printed("export_mappings", "Nobody")


def test_a_mapping_is_applied_to_a_sample_or_to_a_record_from_a_file(installation, tmp_path: Path, monkeypatch):
    said = json.loads(printed("apply_mapping", "Product to Create response"))
    assert (said["version"], said["body"]["metadata"], said["problems"]) == (1, {"patchbay_key": "HP-10482"}, [])
    record = json.dumps({"key": "Z-9", "fields": {"name": "Chair"}, "custom": {}})
    file = tmp_path / "record.json"
    file.write_text(record)
    pk = str(installation.mappings.get(name="Product to Create response").pk)
    assert "name: Chair" in json.loads(printed("apply_mapping", pk, "--record", str(file)))["body"]["input"]
    monkeypatch.setattr("sys.stdin", io.StringIO(record))
    name = f"{installation.name}/Product to Create response"
    assert json.loads(printed("apply_mapping", name, "--record", "-"))["body"]["metadata"]["patchbay_key"] == "Z-9"
    back = json.loads(printed("apply_mapping", "Create response to Product"))
    assert back["record"]["custom"]["OpenAI Last Response ID"] == "resp_sample"


def test_what_is_wrong_is_printed_by_rule_and_said_in_one_sentence(installation):
    mapping = installation.mappings.get(name="Product to Create response")
    mapping.rules.filter(target="input").update(source="1 +\n $fomat(1)")
    out = io.StringIO()
    with pytest.raises(CommandError, match="^input: Line 2, character 3: There is no function fomat"):
        call_command("apply_mapping", mapping.name, stdout=out)
    problem = json.loads(out.getvalue())["problems"][0]
    assert (problem["rule"], problem["target"], problem["line"], problem["column"]) == (2, "input", 2, 3)
    mapping.filter = "false"
    mapping.save()
    with pytest.raises(CommandError, match="The filter of the mapping leaves this record out"):
        printed("apply_mapping", mapping.name)


def test_a_mapping_that_is_not_there_or_there_twice_is_asked_for(installation):
    with pytest.raises(CommandError, match="There is no mapping “Nothing”"):
        printed("apply_mapping", "Nothing")
    defaults.create_defaults(builders.installation(name="Elsewhere", webhook_key="whk_elsewhere_canary_9876543210"))
    with pytest.raises(CommandError, match="Name one of .*Elsewhere/Product to Create response"):
        printed("apply_mapping", "Product to Create response")
