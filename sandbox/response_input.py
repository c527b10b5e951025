"""The input of a response: read for its text, and listed again as items."""

import secrets
from typing import Any

from sandbox.errors import Json
from sandbox.validation import wrong_type, wrong_value

PARTS = ("input_text", "input_image", "input_file", "output_text", "refusal")
ROLES = ("user", "assistant", "system", "developer")
NEW_IDS = {"message": "msg_", "function_call": "fc_", "function_call_output": "fco_", "reasoning": "rs_"}


def check_input(value: Any) -> None:
    """Raises ApiError naming the item or part that is wrong."""
    if not isinstance(value, list):
        return
    for index, item in enumerate(value):
        name = f"input[{index}]"
        if not isinstance(item, dict):
            raise wrong_type(name, item, "object")
        if not isinstance(item.get("type", "message"), str):
            raise wrong_type(f"{name}.type", item["type"], "string")
        if item.get("type", "message") == "message":
            _check_message(name, item)


def _check_message(name: str, item: Json) -> None:
    if item.get("role") not in ROLES:
        raise wrong_value(f"{name}.role", str(item.get("role", "")), ROLES)
    content = item.get("content")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise wrong_type(f"{name}.content", content, "string array")
    for number, part in enumerate(content):
        where = f"{name}.content[{number}]"
        if not isinstance(part, dict):
            raise wrong_type(where, part, "object")
        if part.get("type") not in PARTS:
            raise wrong_value(f"{where}.type", str(part.get("type", "")), PARTS)


def text_of(value: Any) -> str:
    """All text of an input, of chat messages as well, one piece a line."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(text for text in map(text_of, value) if text)
    if isinstance(value, dict):
        return text_of(value.get("text") or value.get("content") or value.get("output") or "")
    return ""


def has_image(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(has_image, value))
    return isinstance(value, dict) and (
        value.get("type") in ("input_image", "image_url") or has_image(value.get("content"))
    )


def as_items(value: Any) -> list[Json]:
    """The input as ``GET /responses/{id}/input_items`` lists it: each item with id, type and parts."""
    if isinstance(value, str):
        value = [{"role": "user", "content": value}]
    return [_item(item) for item in value or []]


def _item(item: Json) -> Json:
    kind = item.get("type", "message")
    new = {"id": item.get("id") or NEW_IDS.get(kind, "item_") + secrets.token_hex(24), "type": kind}
    if kind != "message":
        return item | new
    content = item["content"]
    if isinstance(content, str):
        content = [{"type": "output_text" if item["role"] == "assistant" else "input_text", "text": content}]
    return new | {"status": "completed", "role": item["role"], "content": [_part(part) for part in content]}


def _part(part: Json) -> Json:
    defaults: Json = {}
    if part["type"] == "output_text":
        defaults = {"annotations": [], "logprobs": []}
    elif part["type"] == "input_image":
        defaults = {"detail": "auto"}
    return defaults | part
