"""``POST /v1/images/generations``: real pictures in PNG, striped in colours that depend on the prompt."""

import struct
import time
import zlib
from base64 import b64encode
from functools import lru_cache

from aiohttp import web

from sandbox import models, sse
from sandbox.call import call_of
from sandbox.errors import Json
from sandbox.text import count_tokens, digest
from sandbox.validation import Field, check

SIZES = ("auto", "1024x1024", "1536x1024", "1024x1536")
TOKENS = {"low": 272, "medium": 1056, "high": 4160}
STRIPES = 8
MODEL = "gpt-image-2"
FIELDS = {
    "prompt": Field("string", required=True, longest=32_000),
    "model": Field("string"),
    "n": Field("integer", least=1, most=10),
    "size": Field("string", choices=SIZES),
    "quality": Field("string", choices=("auto", "low", "medium", "high")),
    "background": Field("string", choices=("auto", "opaque")),
    "output_format": Field("string", choices=("png",)),
    "output_compression": Field("integer", least=0, most=100),
    "moderation": Field("string", choices=("auto", "low")),
    "stream": Field("boolean"),
    "partial_images": Field("integer", least=0, most=3),
    "user": Field("string"),
}


async def create(request: web.Request) -> web.StreamResponse:
    body = call_of(request).body
    check(body, FIELDS)
    models.use(body.get("model") or MODEL, "image")
    made = make(body)
    if body.get("stream"):
        return await sse.send(request, sse.each([sse.named(_completed(made))]))
    return web.json_response(made)


def make(body: Json) -> Json:
    size = body.get("size") or "auto"
    quality = body.get("quality") or "auto"
    size = "1024x1024" if size == "auto" else size
    quality = "medium" if quality == "auto" else quality
    width, height = map(int, size.split("x"))
    count = body.get("n") or 1
    pictures = [png(width, height, digest(f"{body['prompt']} {number}")) for number in range(count)]
    return {
        "created": int(time.time()),
        "background": "opaque",
        "output_format": "png",
        "size": size,
        "quality": quality,
        "data": [{"b64_json": b64encode(picture).decode()} for picture in pictures],
        "usage": _usage(count_tokens(body["prompt"]), TOKENS[quality] * count),
    }


def _usage(asked: int, made: int) -> Json:
    return {
        "input_tokens": asked,
        "input_tokens_details": {"text_tokens": asked, "image_tokens": 0},
        "output_tokens": made,
        "output_tokens_details": {"image_tokens": made, "text_tokens": 0},
        "total_tokens": asked + made,
    }


def _completed(made: Json) -> Json:
    shared = {name: made[name] for name in ("size", "quality", "background", "output_format", "usage")}
    picture = made["data"][0]["b64_json"]
    return {"type": "image_generation.completed", "b64_json": picture, "created_at": made["created"], **shared}


@lru_cache(maxsize=32)
def png(width: int, height: int, seed: int) -> bytes:
    """A picture of `width` by `height` in eight stripes, whose colours come from `seed`."""
    palette = b"".join((seed >> index & 0xFFFFFF).to_bytes(3) for index in range(0, STRIPES * 5, 5))
    row = b"\0" + bytes(column * STRIPES // width for column in range(width))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(row * height, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
