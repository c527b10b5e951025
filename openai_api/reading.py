"""Reading answers: usage, the object's id, and failures that hide inside HTTP 200. Pure; bodies are parsed leniently."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from logs.redaction import storable
from openai_api import errors

# What `status: failed` may cost nothing or something: it is never sent again by itself.
STREAM_LIMIT = 4 * 1024 * 1024
MAYBE_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|\xed[\xa0-\xbf]")


@dataclass
class Reading:
    """What an answer says about itself. `tokens` uses the log's column names; `tier` is the service tier really used."""

    object_id: str = ""
    model: str = ""
    tier: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    failure: errors.FailedInside | None = None
    _tokens: dict[str, int] | None = field(default=None, repr=False, compare=False)

    @property
    def tokens(self) -> dict[str, int]:
        """Asked for at its end. Source: `openai/usage.json`. Cached and reasoning counts are parts of the totals."""
        if self._tokens is None:
            self._tokens = self._counted()
        return self._tokens

    def _counted(self) -> dict[str, int]:
        usage = self.usage
        inner = usage.get("input_tokens_details") or usage.get("prompt_tokens_details") or {}
        outer = usage.get("output_tokens_details") or usage.get("completion_tokens_details") or {}
        found = {
            "input_tokens": usage.get("input_tokens", usage.get("prompt_tokens")),
            "cached_tokens": inner.get("cached_tokens") if isinstance(inner, dict) else None,
            "output_tokens": usage.get("output_tokens", usage.get("completion_tokens")),
            "reasoning_tokens": outer.get("reasoning_tokens") if isinstance(outer, dict) else None,
            "total_tokens": usage.get("total_tokens"),
        }
        return {name: value for name, value in found.items() if isinstance(value, int) and not isinstance(value, bool)}


def parse(content: bytes) -> Any:
    """The JSON of a body, or None. Its texts are such as a database and a page can hold."""
    try:
        found = _loaded(content)
        # By `find`, not by `in`: see logs.redaction.
        doubtful = (content.find(b"\\u") >= 0 or content.find(b"\xed") >= 0) and MAYBE_UNSTORABLE.search(content)
        return _storable(found) if doubtful else found
    except (ValueError, RecursionError):
        return None


def _loaded(content: bytes) -> Any:
    """Raises ValueError or RecursionError. Python's own parser takes what the quick one does not: other Unicodes, NaN, halves of
    surrogate pairs, depth."""
    try:
        return orjson.loads(content)
    except ValueError:
        return json.loads(content)


def _storable(value: Any) -> Any:
    if isinstance(value, dict):
        return {storable(name): _storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return storable(value) if isinstance(value, str) else value


def read(body: Any) -> Reading:
    """An answer object (response, chat completion, embedding list, image list, batch …)."""
    if not isinstance(body, dict):
        return Reading()
    usage = body.get("usage")
    return Reading(
        object_id=_text(body.get("id")),
        model=_text(body.get("model")),
        tier=_text(body.get("service_tier")),
        usage=usage if isinstance(usage, dict) else {},
        failure=failure_inside(body),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def failure_inside(body: dict[str, Any]) -> errors.FailedInside | None:
    """A Response object with `status: failed`. `incomplete` is an answer, if a short one."""
    if body.get("object") != "response" or body.get("status") != "failed":
        return None
    return _inside(body.get("error"))


def _inside(error: Any) -> errors.FailedInside:
    error = error if isinstance(error, dict) else {}
    code, message = _text(error.get("code")) or "failed", _text(error.get("message")).rstrip(".") or "no message"
    return errors.FailedInside(
        f"OpenAI accepted the request and then failed: {message} ({code}). Try again in a while.",
        code=code,
        http_status=200,
    )


class StreamReader:
    """Reads server-sent events on their way through: usage, the final state, an `error` event. Feed it bytes as they come.

    `clean` is applied to the data of each event before it is read. `ended` tells that the event that ends a stream came; of
    a stream whose events are not known, any of them may have been the last.
    """

    FINAL = ("response.completed", "response.incomplete", "response.failed")
    # Streams that end with one event of their own, which carries the usage, and without [DONE].
    LAST = ("image_generation.completed", "image_edit.completed", "transcript.text.done", "speech.audio.done")
    KNOWN = ("response.", "image_generation.", "image_edit.", "transcript.", "speech.")
    CHUNKS = ("chat.completion.chunk", "text_completion")

    def __init__(self, clean: Callable[[bytes], bytes] = bytes) -> None:
        self._clean = clean
        self.reading = Reading()
        self.ended = False
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > STREAM_LIMIT:
            self._rest = b""
        for line in lines:
            if line.startswith(b"data:"):
                self._data(line[5:].strip())

    def _data(self, data: bytes) -> None:
        if data == b"[DONE]":
            self.ended = True
            return
        event = parse(self._clean(data))
        if isinstance(event, dict):
            self._event(event)

    def _event(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        if kind == "error" or (kind is None and "error" in event):
            self.reading.failure = _inside(event.get("error") if isinstance(event.get("error"), dict) else event)
        elif isinstance(event.get("response"), dict):
            self._response(str(kind), event["response"])
        elif event.get("object") in self.CHUNKS:
            self._chunk(read(event))
        elif kind in self.LAST:
            self._chunk(read(event))
            self.ended = True
        elif not str(kind).startswith(self.KNOWN):
            self.ended = True

    def _chunk(self, found: Reading) -> None:
        self.reading.object_id, self.reading.model = found.object_id, found.model
        self.reading.usage = found.usage or self.reading.usage

    def _response(self, kind: str, response: dict[str, Any]) -> None:
        failure = self.reading.failure
        self.reading = read(response)
        self.reading.failure = self.reading.failure or failure
        self.ended = self.ended or kind in self.FINAL
