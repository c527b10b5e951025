"""What differs between two requests, field by field, for people to read side by side. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from openai_api.retries import RetryPolicy
from operations.asking import Asked
from operations.places import unquoted

WORDS = re.compile(r"\s+|\w+|[^\w\s]")
# Longer texts are shown as a whole: comparing words takes the product of their numbers.
MOST_WORDS = 3_000


@dataclass(frozen=True)
class Piece:
    text: str
    changed: bool


@dataclass(frozen=True)
class Difference:
    """A field that differs. A side is None where the field is not there."""

    field: str
    before: list[Piece] | None
    after: list[Piece] | None


def differences(before: Asked, after: Asked) -> list[Difference]:
    old, new = dict(fields_of(before)), dict(fields_of(after))
    names = list(dict.fromkeys([*old, *new]))
    return [_difference(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def fields_of(asked: Asked) -> Iterator[tuple[str, str]]:
    """(name, text) of everything that a request says, in the order of a form; files by name."""
    yield "Method", asked.method
    yield "Path", unquoted(asked.path)
    for kind, pairs in (("Query", asked.query), ("Header", asked.headers), ("Form", asked.form)):
        yield from _numbered([(f"{kind} › {name}", value) for name, value in pairs])
    if asked.body is not None:
        yield from _leaves("Body", asked.body)
    yield from _numbered([(f"File › {part.field}", part.name) for part in asked.files])
    yield "Response type", asked.response_type
    yield "Timeout", f"{asked.timeout:g} s"
    if asked.retries is not None:
        yield from _leaves("Retries", _in_words(asked.retries))


def _in_words(policy: RetryPolicy) -> dict[str, Any]:
    return {
        "most": policy.count,
        "delay in seconds": policy.delay,
        "growing delay": policy.backoff,
        "on all errors": policy.on_all_errors,
    }


def _numbered(rows: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """A name may come twice: from the second on it has its number."""
    counts: dict[str, int] = {}
    for name, value in rows:
        counts[name] = counts.get(name, 0) + 1
        yield (name if counts[name] == 1 else f"{name} ({counts[name]})"), value


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(f"{name} › {key}", part)
    elif isinstance(value, list) and value:
        for number, part in enumerate(value, start=1):
            yield from _leaves(f"{name} › {number}", part)
    else:
        yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _difference(name: str, old: str | None, new: str | None) -> Difference:
    if old is None or new is None:
        return Difference(name, _whole(old), _whole(new))
    left, right = WORDS.findall(old), WORDS.findall(new)
    if max(len(left), len(right)) > MOST_WORDS:
        return Difference(name, _whole(old), _whole(new))
    steps = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    before = [Piece("".join(left[a:b]), kind != "equal") for kind, a, b, _, _ in steps]
    after = [Piece("".join(right[c:d]), kind != "equal") for kind, _, _, c, d in steps]
    return Difference(name, _smooth(before), _smooth(after))


def _smooth(pieces: list[Piece]) -> list[Piece]:
    """Without empty pieces; a blank or a stop that two changes have in common is part of the change."""
    found: list[Piece] = []
    for number, piece in enumerate(pieces):
        between = 0 < number < len(pieces) - 1 and len(piece.text.strip()) < 2
        changed = piece.changed or between
        if found and found[-1].changed == changed:
            found[-1] = Piece(found[-1].text + piece.text, changed)
        elif piece.text:
            found.append(Piece(piece.text, changed))
    return found


def _whole(text: str | None) -> list[Piece] | None:
    return None if text is None else [Piece(text, True)]
