"""What differs between two versions, field by field, for people to read side by side. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

WORDS = re.compile(r"\s+|\w+|[^\w\s]")
# Longer texts are shown as a whole: comparing words takes the product of their numbers.
MOST_WORDS = 3_000

# (name, text) of a field, as people read it
Field = tuple[str, str]


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


def compared(before: Iterable[Field], after: Iterable[Field]) -> list[Difference]:
    old, new = dict(before), dict(after)
    names = list(dict.fromkeys([*old, *new]))
    return [_difference(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def numbered(rows: Iterable[Field]) -> Iterator[Field]:
    """A name may come twice: from the second on it has its number."""
    counts: dict[str, int] = {}
    for name, value in rows:
        counts[name] = counts.get(name, 0) + 1
        yield (name if counts[name] == 1 else f"{name} ({counts[name]})"), value


def leaves(name: str, value: Any) -> Iterator[Field]:
    """A value of JSON, part by part."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from leaves(f"{name} › {key}", part)
    elif isinstance(value, list) and value:
        for number, part in enumerate(value, start=1):
            yield from leaves(f"{name} › {number}", part)
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
