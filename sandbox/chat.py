"""``POST /v1/chat/completions``, plain and streamed."""

import secrets
import time
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from sandbox import json_schema, models, sse
from sandbox.call import Call, call_of
from sandbox.errors import Json, bad_request, missing_parameter
from sandbox.response_body import FORMATS, formatted
from sandbox.response_input import has_image, text_of
from sandbox.text import CHARACTERS_PER_TOKEN, count_tokens, pieces, sentence
from sandbox.validation import METADATA, Field, check, wrong_type, wrong_value

ROLES = ("developer", "system", "user", "assistant", "tool", "function")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
FIELDS = {
    "model": Field("string", required=True),
    "messages": Field("array", required=True),
    "temperature": Field("decimal", least=0, most=2),
    "top_p": Field("decimal", least=0, most=1),
    "n": Field("integer", least=1, most=128),
    "stream": Field("boolean"),
    "stream_options": Field("object"),
    "max_tokens": Field("integer", least=1),
    "max_completion_tokens": Field("integer", least=1),
    "response_format": Field("object"),
    "metadata": METADATA,
    "store": Field("boolean"),
    "stop": Field("string array"),
    "presence_penalty": Field("decimal", least=-2, most=2),
    "frequency_penalty": Field("decimal", least=-2, most=2),
    "logit_bias": Field("object"),
    "logprobs": Field("boolean"),
    "top_logprobs": Field("integer", least=0, most=20),
    "seed": Field("integer"),
    "tools": Field("array"),
    "tool_choice": Field("string object"),
    "parallel_tool_calls": Field("boolean"),
    "functions": Field("array"),
    "function_call": Field("string object"),
    "reasoning_effort": Field("string", choices=EFFORTS),
    "verbosity": Field("string", choices=("low", "medium", "high")),
    "service_tier": Field("string", choices=("auto", "default", "flex", "scale", "priority", "fast")),
    "modalities": Field("array"),
    "audio": Field("object"),
    "prediction": Field("object"),
    "web_search_options": Field("object"),
    "prompt_cache_key": Field("string"),
    "prompt_cache_options": Field("object"),
    "prompt_cache_retention": Field("string", choices=("in_memory", "24h")),
    "safety_identifier": Field("string", longest=64),
    "user": Field("string"),
    "moderation": Field("object"),
}


async def create(request: web.Request) -> web.StreamResponse:
    call = call_of(request)
    completion = make(call)
    if not call.body.get("stream"):
        return web.json_response(completion)
    return await sse.send(request, sse.each(frames(completion, call)))


def make(call: Call) -> Json:
    """The whole completion for the body of `call`. Raises ApiError as OpenAI refuses."""
    body = call.body
    check(body, FIELDS)
    models.use(body["model"], "text")
    _check_messages(body["messages"])
    _check_format(body.get("response_format") or {})
    choices = [_choice(body, index) for index in range(body.get("n") or 1)]
    written = sum(count_tokens(choice["message"]["content"]) for choice in choices)
    return {
        "id": "chatcmpl-" + secrets.token_hex(14),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": choices,
        "usage": _usage(count_tokens(text_of(body["messages"])), written),
        "service_tier": "default",
    }


def _check_messages(messages: list[Any]) -> None:
    if not messages:
        raise bad_request("Invalid 'messages': empty array. Expected at least 1 message.", "messages", "empty_array")
    for index, message in enumerate(messages):
        name = f"messages[{index}]"
        if not isinstance(message, dict):
            raise wrong_type(name, message, "object")
        if message.get("role") not in ROLES:
            raise wrong_value(f"{name}.role", str(message.get("role", "")), ROLES)
        if message.get("content") is None and message["role"] != "assistant":
            raise missing_parameter(f"{name}.content")
        if not isinstance(message.get("content"), str | list | None):
            raise wrong_type(f"{name}.content", message["content"], "string array")


def _check_format(format: Json) -> None:
    if format and format.get("type") not in FORMATS:
        raise wrong_value("response_format.type", str(format.get("type", "")), FORMATS)
    if format.get("type") != "json_schema":
        return
    asked = format.get("json_schema") or {}
    if not isinstance(asked, dict):
        raise wrong_type("response_format.json_schema", asked, "object")
    if asked.get("name") is None:
        raise missing_parameter("response_format.json_schema.name")
    json_schema.check_schema(asked.get("schema"), "response_format", bool(asked.get("strict")))


def _choice(body: Json, index: int) -> Json:
    text = _answer(body, index)
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    cut = most is not None and count_tokens(text) > most
    text = text[: most * CHARACTERS_PER_TOKEN] if most is not None else text
    message: Json = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": "length" if cut else "stop"}


def _answer(body: Json, index: int) -> str:
    asked = [message for message in body["messages"] if message["role"] == "user"] or body["messages"]
    format = body.get("response_format") or {}
    prompt = text_of(asked)
    if format.get("type", "text") == "text" and not has_image(asked):
        return sentence(prompt, variant=index)
    schema = (format.get("json_schema") or {}).get("schema")
    return formatted(prompt, format.get("type"), schema, has_image(asked))


def _usage(prompt: int, completion: int) -> Json:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0, "cache_write_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def frames(completion: Json, call: Call) -> Iterator[bytes]:
    """The chunks, then ``[DONE]``. Under the fault ``stream_error`` an error chunk ends them instead."""
    broken = call.fails_with("stream_error")
    for number, chunk in enumerate(chunks(completion, call.body)):
        if broken is not None and number >= broken.events:
            yield sse.unnamed({"error": {"message": "Our servers are overloaded.", "type": "server_error"}})
            return
        yield sse.unnamed(chunk)
    yield sse.DONE


def chunks(completion: Json, body: Json) -> Iterator[Json]:
    """Role, text piece by piece and the reason of the end for each choice; usage last, if it was asked for."""
    with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    shared = {name: completion[name] for name in ("id", "created", "model", "service_tier")}
    shared = shared | {"object": "chat.completion.chunk"}
    for choice in completion["choices"]:
        for delta, reason in _deltas(choice):
            yield shared | {"choices": [{"index": choice["index"], "delta": delta, "finish_reason": reason}]}
    if with_usage:
        yield shared | {"choices": [], "usage": completion["usage"]}


def _deltas(choice: Json) -> Iterator[tuple[Json, str | None]]:
    yield {"role": "assistant", "content": ""}, None
    for piece in pieces(choice["message"]["content"]):
        yield {"content": piece}, None
    yield {}, choice["finish_reason"]
