"""Makes the catalogue anew from an OpenAPI document and says what that changes. Pure, but for `load` and `save`.

`additions.json` holds what no document has yet: operations and parameters that OpenAI's own client library knows. They are
laid over what a document says, and give way to it as soon as it says the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai_api.catalogue import document
from openai_api.catalogue.document import Json

FILES = ("operations.json", "schemas.json")


@dataclass(frozen=True)
class Catalogue:
    """What the two files hold. `source` says which document it was made from."""

    source: Json
    operations: list[Json]
    schemas: Json


def made_from(said: Any, additions: Json) -> Catalogue:
    """The catalogue that a document and the additions give, in a stable order. Raises document.NotADocument."""
    rows, named = document.read(said)
    known = {(row["method"], row["path"]) for row in rows}
    rows += [row for row in additions["operations"] if (row["method"], row["path"]) not in known]
    for row in rows:
        _add_parameters(row, additions["parameters"].get(row["id"], {}), named)
        _move_long_bodies(row, named)
    rows.sort(key=lambda row: (row["path"], row["method"]))
    info = said.get("info", {})
    source = {"title": str(info.get("title", "")), "version": str(info.get("version", ""))}
    return Catalogue(source, rows, document.used(rows, named))


def _add_parameters(row: Json, more: Json, named: Json) -> None:
    """Puts in what the additions know and the document does not."""
    there = {each["name"] for each in row.get("parameters", [])}
    query = [{"name": name, "in": "query", "schema": schema} for name, schema in more.get("query", {}).items()]
    row.setdefault("parameters", []).extend(each for each in query if each["name"] not in there)
    if not row["parameters"]:
        del row["parameters"]
    for schema in row.get("body", {}).values():
        body = named[schema["$ref"]] if "$ref" in schema else schema
        for name, part in more.get("body", {}).items():
            body.get("properties", {}).setdefault(name, part)


def _move_long_bodies(row: Json, named: Json) -> None:
    """The rows are read at every start, the schemas are not: a long one stands there, under the operation's id."""
    for kind, schema in row.get("body", {}).items():
        if len(str(schema)) > document.INLINE:
            name = f"{row['id']} {kind}"
            named[name], row["body"][kind] = schema, {"$ref": name}


def differences(old: Catalogue, new: Catalogue) -> Iterator[str]:
    """What changed, a line each: operations and their parameters that are new, gone or different."""
    before = {row["id"]: _flat(row, old.schemas) for row in old.operations}
    after = {row["id"]: _flat(row, new.schemas) for row in new.operations}
    for id in sorted(after.keys() - before.keys()):
        yield f"added    {id}  {after[id]['']}"
    for id in sorted(before.keys() - after.keys()):
        yield f"removed  {id}  {before[id]['']}"
    for id in sorted(after.keys() & before.keys()):
        yield from _changes(id, before[id], after[id])


def _changes(id: str, before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    for name in sorted(after.keys() | before.keys()):
        label = f"{id}.{name}" if name else id
        if name not in before:
            yield f"added    {label}"
        elif name not in after:
            yield f"removed  {label}"
        elif before[name] != after[name]:
            yield f"changed  {label}"


def _flat(row: Json, schemas: Json) -> dict[str, str]:
    """Each parameter of an operation as text that can be compared; under "" stands the operation itself."""
    facts = {name: value for name, value in row.items() if name not in ("parameters", "body", "method", "path", "tag")}
    flat = {"": f"{row['method']} {row['path']} " + json.dumps(facts, sort_keys=True)}
    for each in row.get("parameters", []):
        flat[each["name"]] = json.dumps(each, sort_keys=True)
    for schema in row.get("body", {}).values():
        body = _resolved(schema, schemas, ())
        for name, part in body.get("properties", {}).items():
            flat[name] = f"{name in body.get('required', [])} {json.dumps(part, sort_keys=True)}"
        flat["body"] = json.dumps({key: body[key] for key in body.keys() - {"properties", "required"}}, sort_keys=True)
    return flat


def _resolved(node: Any, schemas: Json, seen: tuple[str, ...]) -> Any:
    """The node with every name replaced by what it stands for, down to where a schema holds itself."""
    if isinstance(node, list):
        return [_resolved(part, schemas, seen) for part in node]
    if not isinstance(node, dict):
        return node
    name = node.get("$ref")
    if isinstance(name, str):
        return _resolved(schemas[name], schemas, (*seen, name)) if name in schemas and name not in seen else node
    return {key: _resolved(part, schemas, seen) for key, part in node.items()}


def load(folder: Path) -> Catalogue:
    rows, named = (json.loads((folder / name).read_text(encoding="utf-8")) for name in FILES)
    return Catalogue(rows["source"], rows["operations"], named)


def additions_in(folder: Path) -> Json:
    found: Json = json.loads((folder / "additions.json").read_text(encoding="utf-8"))
    return found


def save(catalogue: Catalogue, folder: Path) -> None:
    """Writes both files, a line for each operation and schema, so that a change of one is a change of one line."""
    rows = ",\n".join(_compact(row) for row in catalogue.operations)
    text = f'{{"source": {_compact(catalogue.source)}, "operations": [\n{rows}\n]}}\n'
    (folder / "operations.json").write_text(text, encoding="utf-8")
    named = ",\n".join(f"{_compact(name)}: {_compact(part)}" for name, part in sorted(catalogue.schemas.items()))
    (folder / "schemas.json").write_text(f"{{\n{named}\n}}\n", encoding="utf-8")


def _compact(part: Any) -> str:
    return json.dumps(part, ensure_ascii=False, separators=(",", ":"))
