"""A value that satisfies a JSON Schema, for structured output. Knows what OpenAI's structured output allows."""

import json
from typing import Any

from sandbox.errors import ApiError, Json, bad_request
from sandbox.text import digest, keywords, sentence, subject

DEEPEST = 12
MOST_ITEMS = 100
LONGEST = 10_000
FORMATS = {
    "date": "2026-11-21",
    "time": "09:30:00Z",
    "date-time": "2026-11-21T09:30:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "3f2b8c1e-6d4a-4c57-9b1f-2a7e5d8c9f10",
}


def check_schema(schema: Any, param: str, strict: bool) -> None:
    """Raises OpenAI's 400 for a schema that isn't an object, or that strict mode doesn't take."""
    if not isinstance(schema, dict):
        raise bad_request(f"Invalid type for '{param}': expected an object.", param, "invalid_type")
    if strict and schema.get("type") != "object":
        raise _invalid(param, "schema must be a JSON Schema of 'type: \"object\"'")
    if strict:
        _check_strict(schema, param, 0)


def _check_strict(schema: Any, param: str, depth: int) -> None:
    if isinstance(schema, list):
        for part in schema:
            _check_strict(part, param, depth)
    if not isinstance(schema, dict) or depth > DEEPEST:
        return
    properties = schema.get("properties")
    if schema.get("type") == "object" and isinstance(properties, dict):
        if schema.get("additionalProperties") is not False:
            raise _invalid(param, "'additionalProperties' is required to be supplied and to be false")
        absent = [name for name in properties if name not in schema.get("required", [])]
        if absent:
            raise _invalid(param, f"'required' must include every key in properties. Missing '{absent[0]}'")
    for name in ("properties", "$defs"):
        _check_strict(list((schema.get(name) or {}).values()), param, depth + 1)
    for name in ("items", "anyOf"):
        _check_strict(schema.get(name), param, depth + 1)


def _invalid(param: str, why: str) -> ApiError:
    return bad_request(f"Invalid schema for response_format: {why}.", param, "invalid_json_schema")


def example(schema: Json, prompt: str) -> str:
    """JSON text of a value of `schema`, filled from the words of `prompt`."""
    try:
        return json.dumps(Generator(schema, prompt).value(schema, "", 0), ensure_ascii=False)
    except (TypeError, ValueError, AttributeError, ArithmeticError, LookupError) as error:
        raise _invalid("text.format.schema", "it is not a JSON Schema that can be followed") from error


class Generator:
    def __init__(self, root: Json, prompt: str) -> None:
        self.root = root
        self.prompt = prompt

    def value(self, schema: Any, name: str, depth: int) -> Any:
        if not isinstance(schema, dict) or depth > DEEPEST:
            return None
        schema = self.resolved(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][digest(self.prompt + name) % len(schema["enum"])]
        choices = schema.get("anyOf") or schema.get("oneOf")
        if choices:
            return self.value(self.preferred(choices, depth), name, depth + 1)
        return self.of_type(_type(schema), schema, name, depth)

    def resolved(self, schema: Json) -> Json:
        """`schema` with its reference followed and its ``allOf`` merged."""
        for _ in range(DEEPEST):
            if "$ref" not in schema:
                break
            schema = self.target(schema["$ref"]) | {key: part for key, part in schema.items() if key != "$ref"}
        merged = {key: part for key, part in schema.items() if key != "allOf"}
        for part in schema.get("allOf", []):
            resolved = self.resolved(part)
            properties = merged.get("properties", {}) | resolved.get("properties", {})
            required = [*merged.get("required", []), *resolved.get("required", [])]
            merged |= resolved | {"properties": properties, "required": required}
        return merged

    def target(self, reference: str) -> Json:
        found: Any = self.root
        for step in reference.lstrip("#").strip("/").split("/"):
            found = found.get(step, {}) if isinstance(found, dict) and step else found
        return found if isinstance(found, dict) else {}

    def preferred(self, choices: list[Json], depth: int) -> Json:
        """The first choice; deep down the null, so that a schema that holds itself comes to an end."""
        if depth > DEEPEST // 2:
            return next((choice for choice in choices if choice.get("type") == "null"), choices[0])
        return choices[0]

    def of_type(self, type: str, schema: Json, name: str, depth: int) -> Any:
        if type == "object":
            return self.object(schema, depth)
        if type == "array":
            return self.array(schema, name, depth)
        if type in ("integer", "number"):
            return self.number(schema, name, whole=type == "integer")
        if type == "boolean":
            return digest(self.prompt + name) % 2 == 0
        return None if type == "null" else self.string(schema, name)

    def object(self, schema: Json, depth: int) -> Json:
        """All properties; deep down the required ones only."""
        required: list[str] = schema.get("required", [])
        wanted = schema.get("properties", {}).items()
        return {key: self.value(part, key, depth + 1) for key, part in wanted if depth < 3 or key in required}

    def array(self, schema: Json, name: str, depth: int) -> list[Any]:
        least = 0 if depth > DEEPEST // 2 else 2
        size = min(max(schema.get("minItems", 0), least), schema.get("maxItems", MOST_ITEMS), MOST_ITEMS)
        return [self.value(schema.get("items", {}), f"{name} {index + 1}".strip(), depth + 1) for index in range(size)]

    def number(self, schema: Json, name: str, whole: bool) -> float:
        """Within its bounds; what is open on both sides lies from one step to a hundred more."""
        step = schema.get("multipleOf") or (1 if whole else 0.5)
        least = schema["exclusiveMinimum"] + step if "exclusiveMinimum" in schema else schema.get("minimum")
        most = schema["exclusiveMaximum"] - step if "exclusiveMaximum" in schema else schema.get("maximum")
        if least is None:
            least = step if most is None or most >= step else most - 100
        most = least + 100 if most is None else most
        first = -(-least // step)
        last = max(first, most // step)
        chosen = (first + digest(self.prompt + name) % (int(last - first) + 1)) * step
        return int(chosen) if whole else float(chosen)

    def string(self, schema: Json, name: str) -> str:
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        text = self.words(name)
        while len(text) < min(schema.get("minLength", 0), LONGEST):
            text += " " + text
        return text[: schema.get("maxLength", len(text))]

    def words(self, name: str) -> str:
        """A name for names, a word for numbered items, else a sentence."""
        stem, _, index = name.partition(" ")
        if stem in ("name", "title", "subject", "product", "customer", "category", "sku", "id"):
            return subject(self.prompt)
        if index.isdecimal():
            found = keywords(self.prompt)
            return found[(int(index) - 1) % len(found)].lower() if found else f"{stem or 'item'} {index}"
        return sentence(self.prompt, variant=len(name))


def _type(schema: Json) -> str:
    """The type, the first that isn't null of several; what it must be where none is given."""
    type = schema.get("type")
    if isinstance(type, list):
        return str(next((kind for kind in type if kind != "null"), "null"))
    if isinstance(type, str):
        return type
    return "object" if "properties" in schema else "array" if "items" in schema else "string"
