"""Sample documents for the editor's preview: a record on its way out, an answer and an event on their way in."""

from __future__ import annotations

import copy
import json
from typing import Any

from mappings.apply import MappingSpec
from mappings.choices import EVENT, FROM_HUB
from mappings.structure import example, schema_of

NOW = "2026-11-21T09:30:00.000Z"
# A picture that every model takes: the fields of a chessboard.
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAN0lEQVR42mNYgAROIAFqiTOMWkDQAloYiiw+agFhC0"
    "aT6Wg+GLVgNB+M5oNRC0bzwWg+GLUADAALlnB5PYTzfwAAAABJRU5ErkJggg=="
)
RECORDS: dict[str, dict[str, Any]] = {
    "Product": {
        "key": "HP-10482",
        "fields": {
            "sku": "HP-10482",
            "name": "Fjord Oak Side Table",
            "brand": "Harbor & Pine",
            "category": "tables/side",
            "price": 189.0,
            "currency": "EUR",
            "materials": ["oak", "steel"],
            "description": "<p>Solid oak, oiled. Slim steel frame in black.</p><p>45 x 45 x 52 cm.</p>",
            "image": PICTURE,
        },
        "custom": {},
        "entity": "Product",
    },
    "Customer": {
        "key": "C-2041",
        "fields": {
            "name": "Mara Lindqvist",
            "company": "Lindqvist Interiors",
            "email": "mara@lindqvist.example",
            "country": "SE",
            "notes": "Prefers oak. Orders twice a year.",
        },
        "custom": {},
        "entity": "Customer",
    },
    "Message": {
        "key": "wh_sample",
        "fields": {
            "type": "response.completed",
            "object id": "resp_sample",
            "received date": NOW,
            "text": "When will my order arrive?",
        },
        "custom": {},
        "entity": "Message",
    },
}
TEXT = "A side table of solid oak on a slim steel frame. It finds its place beside every sofa."
RESPONSE: dict[str, Any] = {
    "id": "resp_sample",
    "object": "response",
    "created_at": 1795253400,
    "status": "completed",
    "model": "sample-model",
    "output": [
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": TEXT, "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 64, "output_tokens": 22, "total_tokens": 86},
}
# What the other operations answer, in OpenAI's own shapes.
ANSWERS: dict[str, dict[str, Any]] = {
    "create_chat_completion": {
        "id": "chatcmpl_sample",
        "object": "chat.completion",
        "created": 1795253400,
        "model": "sample-model",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": TEXT}}],
        "usage": {"prompt_tokens": 64, "completion_tokens": 22, "total_tokens": 86},
    },
    "create_embedding": {
        "object": "list",
        "model": "sample-model",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5, 0.125]}],
        "usage": {"prompt_tokens": 64, "total_tokens": 64},
    },
    "create_image": {"created": 1795253400, "data": [{"b64_json": "aW1hZ2U="}]},
    "create_moderation": {
        "id": "modr_sample",
        "model": "sample-model",
        "results": [{"flagged": False, "categories": {"violence": False}, "category_scores": {"violence": 0.01}}],
    },
}
WITHOUT_TEXT = ("create_embedding", "create_image", "create_moderation")
DELIVERY: dict[str, Any] = {
    "id": "evt_sample",
    "object": "event",
    "type": "response.completed",
    "created_at": 1795253400,
    "data": {"id": "resp_sample"},
}


def record(entity: str) -> dict[str, Any]:
    """A record of an entity; of one that has no sample, a short one."""
    other = {"key": "sample-1", "fields": {"name": "Sample"}, "custom": {}, "entity": entity}
    return copy.deepcopy(RECORDS.get(entity, other))


def document_for(spec: MappingSpec) -> dict[str, Any]:
    """What this mapping is applied to: an answer that fits what its rules read of it."""
    schema = schema_of(spec.rules)
    found = document(spec.entity, spec.direction, spec.operation)
    if schema and spec.direction != FROM_HUB:
        found["text"] = text = json.dumps(example(schema), ensure_ascii=False)
        if content := found["response"].get("output"):
            content[0]["content"][0]["text"] = text
    return found


def document(entity: str, direction: str, operation: str) -> dict[str, Any]:
    """What a mapping of this kind is applied to, in the shape of `mappings.apply`."""
    if direction == FROM_HUB:
        return record(entity)
    event = copy.deepcopy(DELIVERY) if operation == EVENT else None
    return {
        "response": copy.deepcopy(ANSWERS.get(operation, RESPONSE)),
        "text": "" if operation in WITHOUT_TEXT else TEXT,
        "event": event,
        "request": {"model": "sample-model", "input": "Describe the product Fjord Oak Side Table."},
        "record": None if event else record(entity),
        "now": NOW,
    }
