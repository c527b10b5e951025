"""``POST /v1/embeddings``: unit vectors that depend on the text alone."""

import hashlib
import math
import struct
from base64 import b64encode
from typing import Any

from aiohttp import web

from sandbox import models
from sandbox.call import Call, call_of
from sandbox.errors import Json, bad_request
from sandbox.text import count_tokens
from sandbox.validation import Field, check, wrong_type

DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
MOST_INPUTS = 2048
MOST_TOKENS = 8192
FIELDS = {
    "model": Field("string", required=True),
    "input": Field("string array", required=True),
    "encoding_format": Field("string", choices=("float", "base64")),
    "dimensions": Field("integer", least=1),
    "user": Field("string"),
}


async def create(request: web.Request) -> web.Response:
    return web.json_response(make(call_of(request)))


def make(call: Call) -> Json:
    body = call.body
    check(body, FIELDS)
    models.use(body["model"], "embedding")
    inputs = _inputs(body["input"])
    size = _dimensions(body)
    encode = _base64 if body.get("encoding_format") == "base64" else list
    tokens = sum(map(_tokens, inputs))
    rows = [
        {"object": "embedding", "index": index, "embedding": encode(vector(str(text), size))}
        for index, text in enumerate(inputs)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": rows, "model": body["model"], "usage": usage}


def _inputs(given: Any) -> list[Any]:
    """A text, a list of texts, a list of token numbers or a list of such lists, as a list of inputs."""
    inputs = given if isinstance(given, list) and not all(isinstance(part, int) for part in given) else [given]
    if not given or not all(inputs):
        raise bad_request("Invalid 'input': it cannot be empty.", "input", "invalid_value")
    if len(inputs) > MOST_INPUTS:
        raise bad_request(f"Invalid 'input': at most {MOST_INPUTS} inputs.", "input", "array_above_max_length")
    for index, text in enumerate(inputs):
        if not isinstance(text, str | list):
            raise wrong_type(f"input[{index}]", text, "string array")
        if _tokens(text) > MOST_TOKENS:
            raise bad_request(f"Invalid 'input[{index}]': maximum context length is {MOST_TOKENS} tokens.", "input")
    return inputs


def _tokens(text: str | list[int]) -> int:
    return count_tokens(text) if isinstance(text, str) else len(text)


def _dimensions(body: Json) -> int:
    whole = DIMENSIONS[body["model"]]
    wanted = body.get("dimensions")
    if wanted is None:
        return whole
    if body["model"] == "text-embedding-ada-002":
        raise bad_request("This model does not support specifying dimensions.", "dimensions")
    if wanted > whole:
        raise bad_request(f"Invalid 'dimensions': this model has {whole} at most.", "dimensions", "invalid_value")
    return int(wanted)


def vector(text: str, size: int) -> list[float]:
    """A direction drawn from a hash. Fewer dimensions are the first of the many, brought to length one again."""
    drawn = hashlib.shake_256(text.encode("utf-8", "replace")).digest(size * 2)
    numbers = [number + 0.5 for number in struct.unpack(f"<{size}h", drawn)]
    length = math.sqrt(math.fsum(number * number for number in numbers))
    return [number / length for number in numbers]


def _base64(numbers: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
