"""Where the values of a JSON text stand: what is wrong with a file is said with its line. Pure."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from typing import Any

BLANKS = re.compile(r"[ \t\n\r]*")
DEEPEST = 50
Path = tuple[str | int, ...]


class NotJson(ValueError):
    """The text can't be read; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read(text: str) -> tuple[Any, dict[Path, int]]:
    """The value of a JSON text, and the line of each part of it. Raises `NotJson`."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise NotJson(
            f"Character {error.colno}: this is not JSON ({error.msg.lower()}). Correct it.", error.lineno
        ) from None
    except (RecursionError, ValueError) as error:
        said = "It is nested too deeply. Flatten it." if isinstance(error, RecursionError) else f"{error}"
        raise NotJson(said, 1) from None
    walk = _Walk(text)
    walk.value(0, ())
    return value, walk.lines


class _Walk:
    """Once through a text that is JSON for certain."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines: dict[Path, int] = {}
        self._ends = [at for at, letter in enumerate(text) if letter == "\n"]
        self._decoder = json.JSONDecoder()

    def value(self, at: int, path: Path) -> int:
        """Note the value that begins here or after blanks, and say where it ends."""
        at = self._past_blanks(at)
        line = bisect_left(self._ends, at) + 1
        if path in self.lines:
            raise NotJson(f"{path[-1]} stands twice in one object. Take one of them out.", line)
        if len(path) > DEEPEST:
            raise NotJson(f"This is nested more than {DEEPEST} deep. Flatten it.", line)
        self.lines[path] = line
        if self.text[at] not in "{[":
            return self._decoder.raw_decode(self.text, at)[1]
        return self._members(at, path)

    def _members(self, at: int, path: Path) -> int:
        named, number = self.text[at] == "{", 0
        at = self._past_blanks(at + 1)
        while self.text[at] not in "}]":
            key: str | int = number
            if named:
                key, at = self._decoder.raw_decode(self.text, at)
                at = self._past_blanks(at) + 1
            at = self._past_blanks(self.value(at, (*path, key)))
            if self.text[at] == ",":
                at = self._past_blanks(at + 1)
            number += 1
        return at + 1

    def _past_blanks(self, at: int) -> int:
        found = BLANKS.match(self.text, at)
        return found.end() if found else at


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no value of JSON. Write a number, or text in quotes.")
