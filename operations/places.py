"""Places in the texts of a request, {{ such as this }}, which are filled from a record. Pure.

What stands in a place is an expression, and which language that is, the caller knows: it passes the function that evaluates.
A text of the body that is nothing but one place becomes the value itself, a number or a list too; elsewhere the value is
written into the text. A place whose expression yields nothing is not filled, so that no half-empty request is paid for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote

from expressions.functions import written
from expressions.places import NOTHING, pieces
from operations.asking import Asked, Pairs

# As a path holds it: there every place is quoted, as its value will be.
QUOTED = re.compile(r"%7B%7B(.+?)%7D%7D", re.IGNORECASE | re.DOTALL)
Evaluate = Callable[[str], Any]


class NotFilled(Exception):
    """An expression that cannot be evaluated; the message is a sentence."""


@dataclass(frozen=True)
class Problem:
    """Why one place stays empty: where it stands (`body messages 1 content`), its expression, a sentence."""

    where: str
    expression: str
    sentence: str


def quoted(path: str) -> str:
    """A path as it was typed, its places made fit to stand in a path."""
    return "".join(quote(piece.text, safe="") if piece.start else piece.text for piece in pieces(path))


def unquoted(path: str) -> str:
    """The path as it was typed."""
    return QUOTED.sub(lambda found: unquote(found[0]), path)


def has_places(asked: Asked) -> bool:
    return bool(expressions(asked))


def expressions(asked: Asked) -> list[str]:
    """The expression of every place, in the order of the request."""
    found: list[str] = []

    def note(expression: str) -> str:
        found.append(expression)
        return expression

    filled(asked, note)
    return found


def filled(asked: Asked, evaluate: Evaluate) -> tuple[Asked, list[Problem]]:
    """The request with every place filled, and the places that could not be."""
    filling = _Filling(evaluate, [])
    made = replace(
        asked,
        path=QUOTED.sub(filling.in_path, asked.path),
        query=filling.pairs("query", asked.query),
        headers=filling.pairs("header", asked.headers),
        body=filling.value("body", asked.body),
        form=filling.pairs("form", asked.form),
    )
    return made, filling.problems


@dataclass(frozen=True)
class _Filling:
    evaluate: Evaluate
    problems: list[Problem]

    def in_path(self, found: re.Match[str]) -> str:
        """A value cannot leave its part of the path; an empty one would, by making the path another."""
        text = self._written("path", unquote(found[1]))
        if text == "":
            self._problem("path", unquote(found[1]), NOTHING)
        return quote(text or "", safe="")

    def pairs(self, where: str, pairs: Pairs) -> Pairs:
        return tuple((name, self.text(f"{where} {name}", value)) for name, value in pairs)

    def value(self, where: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.value(f"{where} {name}", part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.value(f"{where} {number}", part) for number, part in enumerate(value, start=1)]
        if not isinstance(value, str):
            return value
        parts = list(pieces(value.strip()))
        alone = len(parts) == 1 and parts[0].start
        return self._found(where, parts[0].expression) if alone else self.text(where, value)

    def text(self, where: str, text: str) -> str:
        filled = (self._written(where, piece.expression) if piece.start else piece.text for piece in pieces(text))
        return "".join(part or "" for part in filled)

    def _written(self, where: str, expression: str) -> str | None:
        value = self._found(where, expression)
        return None if value is None else written(value)

    def _found(self, where: str, expression: str) -> Any:
        try:
            value = self.evaluate(expression.strip())
        except NotFilled as problem:
            return self._problem(where, expression, str(problem))
        return self._problem(where, expression, NOTHING) if value is None else value

    def _problem(self, where: str, expression: str, sentence: str) -> None:
        self.problems.append(Problem(where, expression.strip(), sentence))
