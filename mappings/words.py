"""What a formula can name: the fields of the sample, and the functions, for completion and as a list to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expressions.library import LIBRARY
from mappings.fields import Field


@dataclass(frozen=True)
class Word:
    """`text` is what is written, `note` what it is, `example` how it is used."""

    text: str
    note: str = ""
    example: str = ""


def fields(sources: Sequence[Field]) -> list[Word]:
    return [Word(each.path, each.kind, each.sample) for each in sources]


def functions() -> tuple[Word, ...]:
    return tuple(Word(f"${each.name}", each.sentence, each.example) for each in LIBRARY)
