"""The catalogue of operations: what stands in it, how a document becomes it, and what a refresh says."""

import json
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from openai_api.catalogue import FOLDER, OPERATIONS, document, find, schemas
from openai_api.catalogue.refreshing import additions_in, load

TODAY = date(2026, 11, 21)


def small(**more):
    """A document with one operation, whose body has a field of each kind."""
    fields = {
        "model": {"anyOf": [{"type": "string"}, {"enum": ["gpt-6-luna"], "type": "string"}]},
        "voice": {"anyOf": [{"type": "string"}, {"enum": ["oak", "ash"], "type": "string"}]},
        "size": {"type": ["integer", "null"], "minimum": 1, "maximum": 10},
        "note": {"type": "string", "nullable": True, "description": "Prose that is not kept"},
        "part": {"oneOf": [{"$ref": "#/components/schemas/Leaf"}, {"type": "string"}, {"type": "null"}]},
        "seen": {"type": "string", "readOnly": True},
    }
    leaf = {
        "allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"b": {"type": "string"}}}]
    }
    tree = {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Leaf"}}, "required": ["a"]}
    body = {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object", "properties": fields | more}}},
    }
    operation = {"tags": ["Trees"], "requestBody": body, "responses": {"200": {"content": {"text/event-stream": {}}}}}
    listing = {"parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "default": 20}}]}
    return {
        "info": {"title": "Small", "version": "1"},
        "paths": {"/trees": {"post": operation, "get": listing}, "/trees?beta=true": {"post": operation}},
        "components": {"schemas": {"Leaf": leaf, "Base": tree}},
    }


def body_of(said):
    rows, named = document.read(said)
    body = rows[[row["id"] for row in rows].index("create_tree")]["body"]["json"]
    return (named[body["$ref"]] if "$ref" in body else body)["properties"]


def test_every_row_is_whole():
    names = schemas().keys()
    for operation in OPERATIONS.values():
        assert operation.title and operation.entity and len(operation.id) <= 80
        assert operation.bodies.keys() <= {"json", "multipart"} and operation.answer in ("json", "text", "binary")
        assert find(operation.method, operation.fill({p.name: "x" for p in operation.parameters if p.place == "path"}))
    assert set(document._names([op.row for op in OPERATIONS.values()])) <= names
    assert set(document._names(dict(schemas()))) <= names


def test_it_holds_what_the_collected_facts_hold():
    facts = FOLDER.parents[1].parent / "shared" / "openai" / "endpoints.json"
    if not facts.exists():
        pytest.skip("The collected facts (shared/openai/endpoints.json) are not beside the project.")
    rows = [row for row in json.loads(facts.read_text())["endpoints"] if "?" not in row["path"]]
    for row in rows:
        operation = OPERATIONS[find(row["method"], row["path"].replace("{", "").replace("}", ""))]
        known = {p.name for p in operation.parameters}
        known |= {name for body in operation.bodies.values() for name in properties(body)}
        facts_of = {f["name"] for f in row.get("query_params", []) + row.get("body", {}).get("fields", [])}
        assert facts_of - known <= {"idempotency_key"}, operation.id  # that one is a header
        assert operation.admin == (row["auth"] == "admin_key"), operation.id
        if (row.get("lifecycle") or {}).get("state") == "shut_down":
            assert operation.ended(TODAY), operation.id
    assert len(rows) == len(OPERATIONS)


def properties(schema):
    schema = schemas()[schema["$ref"]] if "$ref" in schema else schema
    if "anyOf" in schema:
        return {name for branch in schema["anyOf"] for name in properties(branch)}
    return set(schema.get("properties", {}))


def test_a_path_finds_its_operation():
    assert find("POST", "/responses") == "create_response"
    assert find("GET", "/agents/automations") == "list_agent_automations"
    assert find("GET", "/agents/agent_1") == "get_agent"
    assert find("GET", "/files//content") == "GET /files"
    assert find("PUT", "/responses") == "PUT /responses"


def test_what_ended_is_told_from_what_will_end():
    assert OPERATIONS["list_assistants"].ended(TODAY) and OPERATIONS["create_eval"].ended(TODAY)
    assert not OPERATIONS["list_evals"].ended(TODAY) and OPERATIONS["list_evals"].ended(date(2026, 12, 1))
    assert not OPERATIONS["create_response"].ended(TODAY)


def test_a_document_becomes_facts_without_prose():
    fields = body_of(small())
    assert fields["model"] == {"type": "string", "model": True}
    assert fields["voice"] == {"type": "string", "suggest": ["oak", "ash"]}
    assert fields["size"] == {"type": "integer", "minimum": 1, "maximum": 10, "null": True}
    assert fields["note"] == {"type": "string", "null": True} and "seen" not in fields
    leaf = {"type": "object", "properties": {"a": {"$ref": "Leaf"}, "b": {"type": "string"}}, "required": ["a"]}
    assert fields["part"] == {"anyOf": [leaf, {"type": "string"}], "null": True}
    rows, _ = document.read(small())
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 20}}
    assert [row["parameters"] for row in rows if row["id"] == "list_trees"] == [[limit]]
    assert [(row["id"], row.get("streams", False)) for row in rows] == [("list_trees", False), ("create_tree", True)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A catalogue made from the small document."""
    (tmp_path / "additions.json").write_text('{"operations": [], "parameters": {}}')
    (tmp_path / "operations.json").write_text('{"source": {}, "operations": []}')
    (tmp_path / "schemas.json").write_text("{}")
    refresh(tmp_path, json.dumps(small()))
    return tmp_path


def refresh(folder: Path, text: str, **options) -> str:
    said = StringIO()
    (folder / "document").write_text(text)
    call_command("refresh_catalogue", folder / "document", into=folder, stdout=said, **options)
    return said.getvalue()


def test_a_refresh_says_what_changed(folder: Path):
    assert refresh(folder, json.dumps(small())).startswith("0 changes, 2 operations.")
    said = small(age={"type": "integer"}, size={"type": "integer"})
    said["paths"]["/trees/{tree_id}"] = {"get": {}}
    del said["paths"]["/trees"]["get"]
    text = refresh(folder, json.dumps(said))
    assert [line.split()[:2] for line in text.splitlines()[:4]] == [
        ["added", "get_tree"],
        ["removed", "list_trees"],
        ["added", "create_tree.age"],
        ["changed", "create_tree.size"],
    ]
    assert {row["id"] for row in load(folder).operations} == {"create_tree", "get_tree"}


def test_a_dry_run_writes_nothing(folder: Path):
    before = (folder / "operations.json").read_text()
    assert "Nothing was written" in refresh(folder, json.dumps(small(age={"type": "integer"})), dry_run=True)
    assert (folder / "operations.json").read_text() == before


def test_yaml_is_read_where_pyyaml_is(folder: Path, monkeypatch):
    text = "openapi: 3.1.0\npaths:\n  /trees:\n    get: {}\n"
    assert "1 operations" in refresh(folder, text)
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    with pytest.raises(CommandError, match="PyYAML"):
        refresh(folder, text)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"paths": {}}', "a: [", "\x00"])
def test_what_is_no_document_is_refused(folder: Path, text: str):
    with pytest.raises(CommandError, match="Give the file|Get the file"):
        refresh(folder, text)


def test_additions_give_way_to_a_document(folder: Path):
    additions = {
        "operations": [{"id": "list_trees", "tag": "Mine", "method": "GET", "path": "/trees"}],
        "parameters": {"create_tree": {"body": {"size": {"type": "string"}, "new": {"type": "string"}}}},
    }
    (folder / "additions.json").write_text(json.dumps(additions))
    refresh(folder, json.dumps(small()))
    made = load(folder)
    assert "Mine" not in {row.get("tag") for row in made.operations}
    [body] = [row["body"]["json"] for row in made.operations if row["id"] == "create_tree"]
    fields = made.schemas[body["$ref"]]["properties"]
    assert fields["size"]["type"] == "integer" and fields["new"] == {"type": "string"}


def test_the_files_are_what_the_refresh_writes():
    """Nobody edits them by hand: their additions stand in a file of their own."""
    made = load(FOLDER)
    assert {row["id"] for row in additions_in(FOLDER)["operations"]} <= {row["id"] for row in made.operations}
    assert [row["path"] for row in made.operations] == sorted(row["path"] for row in made.operations)
