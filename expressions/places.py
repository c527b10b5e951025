"""Places in a text, {{ such as this }}: each holds an expression, and its value is written there. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from expressions.bounded import ExpressionError, check, evaluate
from expressions.functions import written

OPEN, CLOSE = "{{", "}}"
MAX_LENGTH: Final = 100_000
NOTHING: Final = (
    "This record gives it no value. Fill the field, or name what stands in for it: {{ fields.x ? fields.x : “none” }}."
)


@dataclass(frozen=True)
class Piece:
    """A stretch of a text. One that came out of a place names its expression; `start` is where that begins in the template."""

    text: str
    expression: str = ""
    start: int = 0


def pieces(template: str) -> Iterator[Piece]:
    """The template taken apart; the text of a place is the place as it stands. Reads forward only."""
    at = 0
    while (begin := template.find(OPEN, at)) >= 0:
        end = template.find(CLOSE, begin + len(OPEN) + 1)
        if end < 0:
            break
        if begin > at:
            yield Piece(template[at:begin])
        inside = template[begin + len(OPEN) : end]
        start = begin + len(OPEN) + len(inside) - len(inside.lstrip())
        at = end + len(CLOSE)
        yield Piece(template[begin:at], inside.strip(), start)
    if at < len(template):
        yield Piece(template[at:])


def check_template(template: str) -> None:
    """Raise `ExpressionError`, with the place in the whole text, unless every place holds an expression."""
    if len(template) > MAX_LENGTH:
        raise ExpressionError(f"The text is longer than {MAX_LENGTH:,} characters.", MAX_LENGTH, template)
    for piece in pieces(template):
        if piece.start:
            with _told_at(piece, template):
                check(piece.expression)
        elif OPEN in piece.text:
            raise ExpressionError("This place is not closed. Write }} behind it.", template.rfind(OPEN), template)


def fill(template: str, document: Any) -> tuple[Any, list[Piece]]:
    """The value of a template on a document, and the pieces it was made of.

    A template that is nothing but one place gives the value itself, a number or a list too. Raises `ExpressionError`, also
    where an expression yields nothing: no half-empty request is paid for.
    """
    if len(template) > MAX_LENGTH:
        raise ExpressionError(f"The text is longer than {MAX_LENGTH:,} characters.", MAX_LENGTH, template)
    found, values = [], []
    for piece in pieces(template):
        if piece.start:
            with _told_at(piece, template):
                value = evaluate(piece.expression, document)
            if value is None:
                raise ExpressionError(NOTHING, piece.start, template)
            found.append(Piece(written(value), piece.expression, piece.start))
            values.append(value)
        else:
            found.append(piece)
    if len(values) == 1 and all(piece.start or not piece.text.strip() for piece in found):
        return values[0], [piece for piece in found if piece.start]
    return "".join(piece.text for piece in found), found


@contextmanager
def _told_at(piece: Piece, template: str) -> Iterator[None]:
    """An error of an expression, told with its place in the whole text."""
    try:
        yield
    except ExpressionError as error:
        position = None if error.position is None else piece.start + error.position
        raise ExpressionError(error.message, position, template, error.repair) from None
