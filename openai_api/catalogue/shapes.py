"""What kind of field a schema asks for. Schemas are as `openai_api.catalogue.document` describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Schema = Mapping[str, Any]
Kind = Literal["text", "choice", "integer", "number", "boolean", "object", "map", "list", "union", "file", "json"]
SCALARS = ("text", "choice", "integer", "number", "boolean")
OF_TYPE: dict[str, Kind] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "list",
}
PLAIN_TYPES = ("string", "integer", "number")
ANYTHING: Schema = {}


@dataclass(frozen=True)
class Shapes:
    """Schemas that name others. `named` is where the names are looked up."""

    named: Mapping[str, Schema]

    def open(self, schema: Schema) -> Schema:
        """The schema itself where it only names one. What stands beside the name counts more."""
        while isinstance(schema.get("$ref"), str):
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self.named.get(schema["$ref"], ANYTHING), **beside}
        return schema

    def kind(self, schema: Schema) -> Kind:
        schema = self.open(schema)
        if "anyOf" in schema:
            return "file" if self.takes_files(schema) else "union"
        if schema.get("type") == "object":
            return self._kind_of_object(schema)
        if schema.get("format") == "binary":
            return "file"
        if schema.get("enum"):
            return "choice"
        return OF_TYPE.get(schema.get("type", ""), "json")

    @staticmethod
    def _kind_of_object(schema: Schema) -> Kind:
        if schema.get("properties"):
            return "object"
        return "map" if isinstance(schema.get("extra"), Mapping) and schema["extra"] else "json"

    def takes_files(self, schema: Schema) -> bool:
        """Whether it is one file or several: both are chosen in the same box."""
        parts = [self.open(part) for part in schema.get("anyOf", ())]
        parts = [self.open(part.get("items", {})) if part.get("type") == "array" else part for part in parts]
        return bool(parts) and all(part.get("format") == "binary" for part in parts)

    def branches(self, schema: Schema, depth: int = 0) -> list[Schema]:
        """The shapes that a union may have. Each keeps its name, if it has one; a union in a union adds its shapes."""
        found: list[Schema] = []
        for part in self.open(schema).get("anyOf", ()):
            inner = depth < 4 and "anyOf" in self.open(part)
            found += self.branches(part, depth + 1) if inner else [part]
        return found

    def properties(self, schema: Schema) -> Mapping[str, Schema]:
        found: Mapping[str, Schema] = self.open(schema).get("properties", {})
        return found

    def required(self, schema: Schema) -> frozenset[str]:
        return frozenset(self.open(schema).get("required", ()))

    def constants(self, schema: Schema) -> dict[str, Any]:
        """Fields of an object that can only have one value, such as the `type` of a tool."""
        found = {name: self.open(part).get("enum", ()) for name, part in self.properties(schema).items()}
        return {name: values[0] for name, values in found.items() if len(values) == 1}

    def label(self, schema: Schema) -> str:
        """What a shape of a union is called in a list of shapes."""
        opened = self.open(schema)
        constants = self.constants(opened)
        telling = [str(constants[name]) for name in ("type", "role", "object") if name in constants]
        if telling:
            return " ".join(telling).replace("_", " ")
        if opened.get("enum"):
            return (
                f"one of {len(opened['enum'])} values"
                if len(opened["enum"]) > 3
                else " or ".join(map(str, opened["enum"]))
            )
        if "$ref" in schema:
            return spaced(str(schema["$ref"]))
        if opened.get("type") == "array":
            items = self.open(opened.get("items", {}))
            return f"list of {_plural(self.label(items))}" if items.get("type") in PLAIN_TYPES else "list"
        if self.properties(opened):
            return "with " + ", ".join(sorted(self.required(opened)) or list(self.properties(opened)))[:40]
        kind = str(opened.get("type", ""))
        return {"string": "text", "object": "JSON object", "": "JSON"}.get(kind, kind)


def spaced(name: str) -> str:
    """`EasyInputMessage` and `input_items` as words: easy input message, input items."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name.replace("_", " "))
    return " ".join(words.removesuffix(" param").split())


def _plural(label: str) -> str:
    return "values" if "one of" in label else f"{label}s"


def step(path: str, name: str | int) -> str:
    """The path of a part; RFC 6901's escapes, and one more for the sign that begins a mark."""
    return f"{path}/{str(name).replace('~', '~0').replace('/', '~1').replace('#', '~2')}"
