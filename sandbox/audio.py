"""``/v1/audio``: speech as a real WAV (a tone whose pitch comes from the text), and texts for what was uploaded."""

import asyncio
import io
import math
import struct
import wave

from aiohttp import web

from sandbox import models, sse
from sandbox.call import call_of
from sandbox.errors import Json, bad_request, missing_parameter
from sandbox.text import count_tokens, digest
from sandbox.validation import Field, check, wrong_value

RATE = 24_000
PIECE = 16_384
SECONDS_A_WORD = 0.1
MOST_SECONDS = 10.0
BYTES_A_TOKEN = 2400
VOICES = (
    "alloy",
    "ash",
    "ballad",
    "cedar",
    "coral",
    "echo",
    "fable",
    "marin",
    "nova",
    "onyx",
    "sage",
    "shimmer",
    "verse",
)
FORMS = ("json", "text")
# What the sandbox can make; without a choice it is a WAV, where OpenAI sends MP3.
KINDS = {"wav": "audio/wav", "pcm": "audio/pcm"}
FIELDS = {
    "model": Field("string", required=True),
    "input": Field("string", required=True, longest=4096),
    "voice": Field("string", required=True, choices=VOICES),
    "instructions": Field("string", longest=4096),
    "response_format": Field("string", choices=tuple(KINDS)),
    "speed": Field("integer decimal", least=0.25, most=4),
    "stream_format": Field("string", choices=("audio",)),
}
HEARD = ("file", "model", "language", "prompt", "response_format", "temperature", "stream")


async def speak(request: web.Request) -> web.StreamResponse:
    """Sent in pieces without a length, as OpenAI does."""
    body = call_of(request).body
    check(body, FIELDS)
    models.use(body["model"], "speech")
    form = body.get("response_format") or "wav"
    samples = tone(body["input"], float(body.get("speed") or 1))
    sound = samples if form == "pcm" else as_wav(samples)
    response = web.StreamResponse(headers={"content-type": KINDS[form]})
    await response.prepare(request)
    for start in range(0, len(sound), PIECE):
        await response.write(sound[start : start + PIECE])
        await asyncio.sleep(0)
    await response.write_eof()
    return response


def tone(text: str, speed: float = 1.0) -> bytes:
    """16-bit samples, 24 kHz mono, as many as the text takes."""
    seconds = min(MOST_SECONDS, max(1, len(text.split())) * SECONDS_A_WORD / speed)
    step = math.tau * (220 + digest(text) % 440) / RATE
    samples = [int(8000 * math.sin(step * index)) for index in range(int(RATE * seconds))]
    return struct.pack(f"<{len(samples)}h", *samples)


def as_wav(samples: bytes) -> bytes:
    found = io.BytesIO()
    with wave.open(found, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples)
    return found.getvalue()


async def transcribe(request: web.Request) -> web.StreamResponse:
    form = dict(await request.post()) if request.content_type.startswith("multipart/") else {}
    upload, model = form.get("file"), form.get("model")
    if not isinstance(upload, web.FileField):
        raise missing_parameter("file")
    if not isinstance(model, str):
        raise missing_parameter("model")
    for name in form:
        if name not in HEARD:
            raise bad_request(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    models.use(model, "transcription")
    shape = str(form.get("response_format") or "json")
    if shape not in FORMS:
        raise wrong_value("response_format", shape, FORMS)
    heard = hear(upload.filename, upload.file.read())
    if form.get("stream") == "true":
        return await sse.send(request, sse.each(_events(heard)))
    return web.Response(text=heard["text"] + "\n") if shape == "text" else web.json_response(heard)


def hear(name: str, sound: bytes) -> Json:
    """What is said in a recording: made up, always the same for the same bytes."""
    text = f"This is {name}, {len(sound)} bytes of sound."
    heard, said = max(1, len(sound) // BYTES_A_TOKEN), count_tokens(text)
    usage = {
        "type": "tokens",
        "input_tokens": heard,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
        "output_tokens": said,
        "total_tokens": heard + said,
    }
    return {"text": text, "usage": usage}


def _events(heard: Json) -> list[bytes]:
    words = heard["text"].split(" ")
    parts = [word if index == 0 else f" {word}" for index, word in enumerate(words)]
    said = [sse.unnamed({"type": "transcript.text.delta", "delta": part}) for part in parts]
    return [*said, sse.unnamed({"type": "transcript.text.done", **heard})]
