"""Reads an OpenAPI document of OpenAI's into the catalogue's own rows and schemas: facts only, none of its prose.

What comes out holds less than JSON Schema, so that whoever draws a form or checks a value meets few cases. A schema is

    {"$ref": name}                          one of `schemas`
    {"type": "string", ...}                 with enum, suggest (values it may have among others), format, pattern, bounds
    {"type": "integer" | "number" | "boolean", ...}
    {"type": "object", "properties", "required", "extra"}    `extra`: the schema of values under free names; false: none;
                                            `either`: lists of names, of which one list is needed
    {"type": "array", "items", ...}
    {"anyOf": [...]}                        two or more, none of them null, none of them an anyOf
    {}                                      anything

and may have `null` (it may be null), `default` and `deprecated`. A string with `model` is the name of a model, which the account
knows better than any document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openai_api.catalogue.naming import id_of

Json = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
# Facts that are kept as they are.
PLAIN = (
    "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems",
    "maxProperties", "pattern", "format", "default", "deprecated",
)  # fmt: skip
BODIES = {"application/json": "json", "multipart/form-data": "multipart"}
# A shorter schema than this stands where it is used; a longer one stands once, under its name.
INLINE = 160


class NotADocument(Exception):
    """What was given is no OpenAPI document. The message is fit to be shown."""


def read(document: Any) -> tuple[list[Json], Json]:
    """The rows of all operations in the document's order, and the schemas that they name. Raises NotADocument."""
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise NotADocument("This is no OpenAPI document: it has no paths. Give the file that OpenAI publishes.")
    reader = _Reader(document)
    rows = [row for path, item in document["paths"].items() if "?" not in path for row in reader.operations(path, item)]
    if not rows:
        raise NotADocument("This document describes no operation. Give the file that OpenAI publishes.")
    return rows, reader.named


class _Reader:
    """Walks one document. `named` fills with the schemas that are met on the way."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.components: Json = document.get("components", {}).get("schemas", {})
        self.named: Json = {}
        self._open: list[str] = []
        self._done: dict[str, Json] = {}

    # Operations

    def operations(self, path: str, item: Json) -> Iterator[Json]:
        for method in METHODS:
            if method in item:
                yield self._operation(method.upper(), path, item[method], item.get("parameters", []))

    def _operation(self, method: str, path: str, said: Json, shared: list[Json]) -> Json:
        row: Json = {
            "id": id_of(method, path),
            "tag": (said.get("tags") or [_family(path)])[0],
            "method": method,
            "path": path,
        }
        security = said.get("security", self.document.get("security")) or []
        if any("Admin" in name for rule in security for name in rule):
            row["auth"] = "admin"
        if said.get("deprecated"):
            row["deprecated"] = True
        parameters = [self._parameter(each) for each in [*shared, *said.get("parameters", [])]]
        row["parameters"] = [each for each in parameters if each["in"] in ("path", "query")]
        content = (said.get("requestBody") or {}).get("content", {})
        row["body"] = {BODIES[kind]: self.schema(part["schema"]) for kind, part in content.items() if kind in BODIES}
        row["needs_body"] = bool((said.get("requestBody") or {}).get("required", bool(row["body"])))
        row |= self._answers(said)
        return {name: value for name, value in row.items() if value not in (None, [], {}, False)}

    def _parameter(self, said: Json) -> Json:
        said = self._found(said)
        schema = model_or(said["name"], self.schema(said.get("schema", {})))
        need = {"required": True} if said.get("required") or said["in"] == "path" else {}
        return {"name": said["name"], "in": said["in"], **need, "schema": schema}

    def _answers(self, said: Json) -> Json:
        """`streams`: events may come. `answer`: what a good answer is, where that is not JSON."""
        kinds: list[str] = []
        for status, answer in said.get("responses", {}).items():
            if str(status).startswith("2"):
                kinds += self._found(answer).get("content", {})
        plain = [kind for kind in kinds if kind not in ("application/json", "text/event-stream")]
        only = plain and "application/json" not in kinds
        answer = (
            ("text" if plain[0].startswith("text/") or plain[0] == "application/sdp" else "binary") if only else None
        )
        return {"streams": "text/event-stream" in kinds, "answer": answer}

    def _found(self, said: Json) -> Json:
        while "$ref" in said:
            node: Any = self.document
            for part in said["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            said = node
        return said

    # Schemas

    def schema(self, said: Any) -> Json:
        """The schema in the catalogue's terms. One with a name and some length is put into `named`."""
        if not isinstance(said, dict):
            return {}
        if "$ref" in said:
            beside = {key: value for key, value in said.items() if key in ("default", "deprecated")}
            return self._reference(said["$ref"].rsplit("/", 1)[1]) | beside
        if "$recursiveRef" in said:
            return {"$ref": self._open[0]} if self._open else {}
        if "allOf" in said:
            return self._merged(said)
        branches = said.get("anyOf") or said.get("oneOf")
        if branches and "properties" not in said:
            return self._union(branches) | self._plain(said) | self._null(said)
        return self._typed(said)

    def _reference(self, name: str) -> Json:
        if name in self._open:
            return {"$ref": name}
        if name not in self._done:
            self._open.append(name)
            self._done[name] = self.schema(self.components.get(name, {}))
            self._open.pop()
            self.named[name] = self._done[name]
        done = self._done[name]
        # What stands around a scalar, a union or something that may be null must see that.
        seen = "anyOf" in done or "null" in done or done.get("type") not in ("object", "array")
        return dict(done) if seen or len(str(done)) < INLINE else {"$ref": name}

    def resolved(self, schema: Json) -> Json:
        while "$ref" in schema and schema["$ref"] in self._done:
            schema = self._done[schema["$ref"]]
        return schema

    def _merged(self, said: Json) -> Json:
        """One schema that is all of its parts. Parts that are unions are tried one in each branch."""
        rest = {key: value for key, value in said.items() if key != "allOf"}
        parts = [self.schema(part) for part in [*said["allOf"], rest] if part]
        result: Json = {}
        for part in parts:
            result = self._both(result, part)
        return result

    def _both(self, left: Json, right: Json) -> Json:
        if not left or not right:
            return left or right
        if not {"type", "anyOf", "$ref", "properties"} & right.keys():
            return left | right
        left, right = self.resolved(left), self.resolved(right)
        for one, other in ((left, right), (right, left)):
            if "anyOf" in one:
                return one | {"anyOf": [self._both(other, branch) for branch in one["anyOf"]]}
        both = left | right
        if "properties" in left or "properties" in right:
            both["properties"] = left.get("properties", {}) | right.get("properties", {})
            both["required"] = sorted({*left.get("required", []), *right.get("required", [])})
            # Parts of one object forbid names that other parts bring; together they forbid nothing of each other.
            both |= {"extra": left["extra"]} if isinstance(left.get("extra"), dict) else {}
        return both

    def _union(self, branches: list[Json]) -> Json:
        flat: list[Json] = []
        null = False
        for branch in branches:
            if branch.get("type") == "null":
                null = True
                continue
            schema = self.schema(branch)
            null = null or bool(schema.get("null"))
            flat += schema.get("anyOf", [schema])
        flat = _distinct([{key: value for key, value in each.items() if key != "null"} for each in flat])
        union = _text_or_known(flat) or (flat[0] if len(flat) == 1 else {"anyOf": flat})
        return union | ({"null": True} if null else {})

    def _typed(self, said: Json) -> Json:
        kinds = said.get("type")
        if isinstance(kinds, list):
            some = [kind for kind in kinds if kind != "null"]
            null = {"null": True} if "null" in kinds else {}
            if len(some) > 1:
                return self._union([said | {"type": kind} for kind in some]) | null
            return self._typed(said | {"type": some[0]}) | null
        kind = kinds or ("object" if "properties" in said else "array" if "items" in said else None)
        schema: Json = {"type": kind} if kind else {}
        if "const" in said:
            schema |= {"type": "string", "enum": [said["const"]]}
        schema |= self._plain(said) | self._null(said)
        if not schema.get("type") and all(isinstance(each, str) for each in schema.get("enum", [None])):
            schema["type"] = "string"
        if kind == "object":
            schema |= self._object(said)
            either = [
                part["required"] for part in said.get("anyOf") or said.get("oneOf") or () if part.keys() == {"required"}
            ]
            schema |= {"either": either} if either else {}
        if kind == "array":
            schema["items"] = self.schema(said.get("items", {}))
        return schema

    def _object(self, said: Json) -> Json:
        named = {
            name: model_or(name, self.schema(part))
            for name, part in said.get("properties", {}).items()
            if not part.get("readOnly")
        }
        schema: Json = {"properties": named, "required": [name for name in said.get("required", []) if name in named]}
        more = said.get("additionalProperties")
        if isinstance(more, dict):
            schema["extra"] = self.schema(more)
        elif more is False:
            schema["extra"] = False
        return {name: value for name, value in schema.items() if value not in ([],) and (name != "properties" or value)}

    def _plain(self, said: Json) -> Json:
        kept = {name: said[name] for name in PLAIN if name in said and said[name] is not None}
        if isinstance(kept.get("enum"), list):
            kept["enum"] = [value for value in kept["enum"] if value is not None]
        return kept

    def _null(self, said: Json) -> Json:
        return {"null": True} if said.get("nullable") is True or None in (said.get("enum") or []) else {}


def _family(path: str) -> str:
    """What an operation without a tag is filed under: the first part of its path."""
    return path.split("/")[1].replace("_", " ").capitalize()


def model_or(name: str, schema: Json) -> Json:
    """The schema, or that of a model's name where `name` says that it is one: which there are changes every month."""
    texts = schema.get("anyOf", [schema])
    if name != "model" or not all(each.get("type") == "string" for each in texts):
        return schema
    kept = {key: schema[key] for key in ("null", "default", "deprecated") if key in schema}
    return {"type": "string", "model": True} | kept


def _distinct(schemas: list[Json]) -> list[Json]:
    kept: list[Json] = []
    for schema in schemas:
        if schema not in kept:
            kept.append(schema)
    return kept


def _text_or_known(branches: list[Json]) -> Json | None:
    """Free text beside a list of texts is one field that suggests the list."""
    if not all(each.get("type") == "string" and "format" not in each for each in branches) or len(branches) < 2:
        return None
    known = [value for each in branches for value in each.get("enum", [])]
    if all("enum" in each for each in branches):
        return {"type": "string", "enum": list(dict.fromkeys(known))}
    free = next(each for each in branches if "enum" not in each)
    return free | ({"suggest": list(dict.fromkeys(known))} if known else {})


def used(rows: list[Json], named: Json) -> Json:
    """Those of the named schemas that requests reach, by name."""
    reached: set[str] = set()
    waiting = [rows]
    while waiting:
        for name in set(_names(waiting.pop())) - reached:
            if name in named:
                reached.add(name)
                waiting.append(named[name])
    return {name: named[name] for name in sorted(reached)}


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for part in node.values():
            yield from _names(part)
    elif isinstance(node, list):
        for part in node:
            yield from _names(part)
