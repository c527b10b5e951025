"""A far side that checks every request against what OpenAI publishes: its document, and the facts of its own library."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email import message_from_bytes
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx
import jsonschema

from tests.sandbox.test_published_schema import FILE, document

FACTS = FILE.parent / "endpoints.json"
PLAIN = {"string": str, "boolean": bool, "object": dict}


@cache
def facts() -> list[dict[str, Any]]:
    """Endpoints of OpenAI's own library that its document does not have."""
    rows = json.loads(FACTS.read_text())["endpoints"]
    return [row for row in rows if "only" in row["source"]]


def known_paths(method: str) -> Iterator[tuple[str, Any, str]]:
    """Path, what is known of it, and where from; paths without parameters first."""
    described = document()["paths"]
    found = [(path, item[method], "document") for path, item in described.items() if method in item and "?" not in path]
    found += [(row["path"], row, "library") for row in facts() if row["method"].lower() == method]
    yield from sorted(found, key=lambda row: [part.startswith("{") for part in row[0].split("/")])


def check(request: httpx.Request) -> str:
    """Where the request is described. AssertionError or ValidationError where it is not as described."""
    path = request.url.raw_path.decode().partition("?")[0].removeprefix("/v1")
    request.read()
    for known, said, source in known_paths(request.method.lower()):
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", known), path):
            assert unquote(path) == path or "{" in known
            (check_by_document if source == "document" else check_by_facts)(request, said)
            return source
    raise AssertionError(f"{request.method} {path} is described nowhere.")


def check_by_document(request: httpx.Request, said: Any) -> None:
    described = {row["name"]: row for row in said.get("parameters", []) if row["in"] == "query"}
    query = unflattened(parse_qsl(request.url.query.decode()))
    assert query.keys() <= described.keys(), f"Unknown in the query: {query.keys() - described.keys()}"
    for name, row in described.items():
        assert name in query or not row.get("required"), f"{name} is missing in the query."
        if name in query:
            validate(coerced(query[name], row["schema"]), row["schema"])
    content = (said.get("requestBody") or {}).get("content", {})
    kind = request.headers.get("content-type", "").partition(";")[0]
    if not kind:
        assert not request.content
        assert not (said.get("requestBody") or {}).get("required"), "The body is missing."
        return
    assert kind in content, f"{kind} is none of {list(content)}."
    schema = content[kind]["schema"]
    body = json.loads(request.content) if kind == "application/json" else coerced(parts_of(request), schema)
    validate(body, schema)


def check_by_facts(request: httpx.Request, said: Any) -> None:
    described = {row["name"]: row for row in said.get("query_params", [])}
    query = unflattened(parse_qsl(request.url.query.decode()))
    assert query.keys() <= described.keys()
    assert all(name in query for name, row in described.items() if row.get("required"))
    fields = {row["name"]: row for row in said.get("body", {}).get("fields", [])}
    body = json.loads(request.content) if request.content else {}
    assert body.keys() <= fields.keys(), f"Unknown in the body: {body.keys() - fields.keys()}"
    for name, row in fields.items():
        assert name in body or not row.get("required"), f"{name} is missing in the body."
        kind = PLAIN.get(row["type"])
        assert name not in body or kind is None or isinstance(body[name], kind), f"{name} is no {row['type']}."
        given = body.get(name, [])
        assert "enum" not in row or all(
            one in row["enum"] for one in (given if isinstance(given, list) else [given])
        ), f"{name} is {given}."


def validate(value: Any, schema: Any) -> None:
    schemas = document()["components"]["schemas"]
    jsonschema.Draft202012Validator({**schema, "components": {"schemas": schemas}}).validate(value)


def resolved(schema: Any) -> Any:
    while "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def unflattened(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """`a[]=1&a[]=2&b[c]=3` as an object."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name.endswith("[]"):
            found.setdefault(name[:-2], []).append(value)
        elif inner := re.fullmatch(r"(.+?)\[(.+?)\]", name):
            found.setdefault(inner[1], {})[inner[2]] = value
        else:
            found[name] = value
    return found


def coerced(value: Any, schema: Any) -> Any:
    """Text of a query or a form as what the schema says it is."""
    schema = resolved(schema)
    if isinstance(value, dict):
        known = all_properties(schema)
        return {name: coerced(part, known.get(name, {})) for name, part in value.items()}
    if isinstance(value, list):
        return [coerced(part, schema.get("items", {})) for part in value]
    kinds = json.dumps([schema.get("type"), [resolved(each).get("type") for each in schema.get("anyOf", [])]])
    if isinstance(value, str) and ("integer" in kinds or "number" in kinds or "boolean" in kinds):
        return json.loads(value)
    return value


def all_properties(schema: Any) -> dict[str, Any]:
    schema = resolved(schema)
    found = dict(schema.get("properties", {}))
    for part in [*schema.get("allOf", []), *schema.get("oneOf", []), *schema.get("anyOf", [])]:
        found |= all_properties(part)
    return found


def parts_of(request: httpx.Request) -> dict[str, Any]:
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + request.content)
    rows = [
        (str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True).decode())
        for part in message.get_payload()
    ]
    return unflattened(rows)
