"""Server-sent events of OpenAI's streams: what a reader sees of each while it comes, and what they add up to. Pure."""

from __future__ import annotations

from typing import Any

from openai_api import reading

# A line that is longer is no event of OpenAI's: even pictures are smaller.
LONGEST_LINE = 64 * 1024 * 1024
TEXT_DELTAS = ("response.output_text.delta", "response.refusal.delta", "transcript.text.delta")


class Events:
    """Cuts a stream into its events. Feed it bytes as they come."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[dict[str, Any]]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            self._rest = b""
        found = [reading.parse(line[5:].strip()) for line in lines if line.startswith(b"data:")]
        return [event for event in found if isinstance(event, dict)]


def all_of(content: bytes) -> list[dict[str, Any]]:
    return Events().feed(content + b"\n")


def text_of(event: dict[str, Any]) -> str:
    """What this event adds to the text that is read; empty for most kinds."""
    if event.get("type") in TEXT_DELTAS:
        return _text(event.get("delta"))
    choices = event.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    delta = first.get("delta")
    if isinstance(delta, dict):
        return _text(delta.get("content")) or _text(delta.get("refusal"))
    return _text(first.get("text"))


def final_of(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The object that a stream ends with and that holds everything: a response, a transcription, a picture."""
    for event in reversed(events):
        found = event if event.get("type") in reading.StreamReader.LAST else event.get("response")
        if isinstance(found, dict):
            return found
    return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
