"""A request as the model will get it: its instructions apart from its input, each text in pieces. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from expressions.places import Piece
from mappings.apply import Applied

FORM = "Form of the answer"
TITLES = {"instructions": "Instructions", "input": "Input", "prompt": "Prompt"}


@dataclass(frozen=True)
class Part:
    """One text of a request. `pieces` that came from the record name their expression."""

    title: str
    target: str
    pieces: tuple[Piece, ...]

    @property
    def is_form(self) -> bool:
        """Whether it says how to answer, and is no text to read."""
        return self.title == FORM


def parts_of(applied: Applied) -> list[Part]:
    """The texts that a model reads of the body, in the order in which it reads them; then the form of the answer."""
    templates = {line.target: line.pieces for line in applied.trace if line.pieces}
    return [
        Part(title, target, templates.get(target) or (Piece(text),)) for title, target, text in _texts(applied.body)
    ]


def _texts(body: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for target, title in TITLES.items():
        value = body.get(target)
        if isinstance(value, list):
            yield from _messages(value, target)
        elif value is not None:
            yield title, target, value if isinstance(value, str) else _json(value)
    messages = body.get("messages")
    if isinstance(messages, list):
        yield from _messages(messages, "messages")
    text = body.get("text")
    form = (text.get("format") if isinstance(text, dict) else None) or body.get("response_format")
    if form is not None:
        yield FORM, "text.format" if isinstance(text, dict) else "response_format", _json(form)


def _messages(messages: list[Any], target: str) -> Iterator[tuple[str, str, str]]:
    for number, message in enumerate(messages, start=1):
        whole = isinstance(message, dict) and "content" in message
        content = message["content"] if whole else message
        title = f"Message {number}" + (f", {message['role']}" if whole and message.get("role") else "")
        for part in content if isinstance(content, list) else [content]:
            yield title, target, _readable(part)


def _readable(part: Any) -> str:
    """A part of a message: its text, or what it is."""
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return str(part["text"])
    return part if isinstance(part, str) else _json(part)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
