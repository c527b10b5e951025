"""A response object: what was asked, echoed, and the answer made for it."""

import secrets
import time
from typing import Any

from sandbox import json_schema, models
from sandbox.errors import ApiError, Json, bad_request, missing_parameter, not_found
from sandbox.response_input import check_input, has_image, text_of
from sandbox.text import CHARACTERS_PER_TOKEN, count_tokens, sentence
from sandbox.validation import METADATA, Field, check, wrong_type, wrong_value

FORMATS = ("text", "json_object", "json_schema")
TIERS = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
FIELDS = {
    "model": Field("string", required=True),
    "input": Field("string array"),
    "instructions": Field("string"),
    "metadata": METADATA,
    "background": Field("boolean"),
    "stream": Field("boolean"),
    "stream_options": Field("object"),
    "store": Field("boolean"),
    "previous_response_id": Field("string"),
    "conversation": Field("string object"),
    "text": Field("object"),
    "reasoning": Field("object"),
    "temperature": Field("decimal", least=0, most=2),
    "top_p": Field("decimal", least=0, most=1),
    "top_logprobs": Field("integer", least=0, most=20),
    "max_output_tokens": Field("integer", least=16),
    "max_tool_calls": Field("integer", least=1),
    "parallel_tool_calls": Field("boolean"),
    "tools": Field("array"),
    "tool_choice": Field("string object"),
    "truncation": Field("string", choices=("auto", "disabled")),
    "service_tier": Field("string", choices=TIERS),
    "include": Field("array"),
    "prompt": Field("object"),
    "prompt_cache_key": Field("string"),
    "prompt_cache_options": Field("object"),
    "prompt_cache_retention": Field("string", choices=("in_memory", "24h")),
    "safety_identifier": Field("string", longest=64),
    "user": Field("string"),
    "context_management": Field("array"),
    "moderation": Field("object"),
}
GIVEN_BACK_IF_GIVEN = ("prompt_cache_key", "safety_identifier", "user", "max_tool_calls", "prompt_cache_retention")
IMAGE_ANSWER = "The picture shows a single subject, well lit, before a plain background."


def check_body(body: Json) -> None:
    """Raises ApiError as OpenAI refuses; an unknown previous response is the caller's to find."""
    check(body, FIELDS)
    models.use(body["model"], "text")
    check_input(body.get("input"))
    if body.get("input") is None and not body.get("previous_response_id") and not body.get("prompt"):
        raise missing_parameter("input")
    if body.get("conversation"):
        raise not_found("The sandbox holds no conversations.", "conversation")
    _check_format((body.get("text") or {}).get("format"))


def _check_format(format: Any) -> None:
    if format is None:
        return
    if not isinstance(format, dict):
        raise wrong_type("text.format", format, "object")
    if format.get("type") not in FORMATS:
        raise wrong_value("text.format.type", str(format.get("type", "")), FORMATS)
    if format["type"] != "json_schema":
        return
    for name in ("name", "schema"):
        if format.get(name) is None:
            raise missing_parameter(f"text.format.{name}")
    json_schema.check_schema(format["schema"], "text.format.schema", bool(format.get("strict")))


def unknown_previous(id: str) -> ApiError:
    message = f"Previous response with id '{id}' not found."
    return bad_request(message, "previous_response_id", "previous_response_not_found")


def begin(body: Json) -> Json:
    """The response in its first state: in progress, or queued for work in the background. It has no output or usage."""
    tier = body.get("service_tier")
    return {
        "id": "resp_" + secrets.token_hex(25),
        "object": "response",
        "created_at": int(time.time()),
        "status": "queued" if body.get("background") else "in_progress",
        "background": bool(body.get("background")),
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": body["model"],
        "output": [],
        "parallel_tool_calls": _or(body.get("parallel_tool_calls"), True),
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None} | (body.get("reasoning") or {}),
        "service_tier": "default" if tier in (None, "auto") else "priority" if tier == "fast" else tier,
        "store": _or(body.get("store"), True),
        "temperature": _or(body.get("temperature"), 1.0),
        "text": {"format": {"type": "text"}} | _text_config(body.get("text") or {}),
        "tool_choice": _or(body.get("tool_choice"), "auto"),
        "tools": body.get("tools") or [],
        "top_logprobs": _or(body.get("top_logprobs"), 0),
        "top_p": _or(body.get("top_p"), 1.0),
        "truncation": _or(body.get("truncation"), "disabled"),
        "metadata": body.get("metadata") or {},
    } | {name: body[name] for name in GIVEN_BACK_IF_GIVEN if body.get(name) is not None}


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _text_config(text: Json) -> Json:
    config = {name: part for name, part in text.items() if part is not None}
    if (config.get("format") or {}).get("type") == "json_schema":
        config["format"] = {"description": None, "strict": None} | config["format"]
        config["format"] = {name: part for name, part in config["format"].items() if part is not None}
    return config


def answer_text(body: Json) -> str:
    """The answer to `body`: JSON where a format asks for it, else a sentence."""
    prompt = text_of(body.get("input"))
    format = (body.get("text") or {}).get("format") or {}
    return formatted(prompt, format.get("type"), format.get("schema"), has_image(body.get("input")))


def formatted(prompt: str, type: str | None, schema: Any, image: bool = False) -> str:
    if type == "json_schema":
        return json_schema.example(schema, prompt)
    if type == "json_object":
        return json_schema.example({"properties": {"answer": {"type": "string"}}}, prompt)
    return IMAGE_ANSWER if image else sentence(prompt)


def message(id: str, text: str, status: str) -> Json:
    return {"id": id, "type": "message", "status": status, "role": "assistant", "content": [part(text)]}


def part(text: str) -> Json:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def usage(input_tokens: int, output_tokens: int) -> Json:
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + output_tokens,
    }


def complete(begun: Json, body: Json) -> Json:
    """`begun` with its answer; incomplete where ``max_output_tokens`` is too small for it."""
    text = answer_text(body)
    most = body.get("max_output_tokens")
    cut = most is not None and count_tokens(text) > most
    text = text[: most * CHARACTERS_PER_TOKEN] if most is not None else text
    status = "incomplete" if cut else "completed"
    asked = count_tokens(text_of(body.get("input"))) + count_tokens(body.get("instructions") or "")
    return begun | {
        "status": status,
        "completed_at": None if cut else int(time.time()),
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": [message("msg_" + secrets.token_hex(25), text, status)],
        "usage": usage(asked, count_tokens(text)),
    }


def fail(begun: Json, code: str = "server_error", text: str | None = None) -> Json:
    error = {"code": code, "message": text or "The model failed to generate a response."}
    return begun | {"status": "failed", "error": error}


def cut_short(begun: Json, body: Json) -> Json:
    """Ended by the content filter, as the fault ``incomplete`` orders it."""
    done = complete(begun, body)
    done["output"] = [item | {"status": "incomplete"} for item in done["output"]]
    return done | {"status": "incomplete", "completed_at": None, "incomplete_details": {"reason": "content_filter"}}
