"""Plausible answers without a model: made from the words of the question, the same for the same question."""

import hashlib
import re
from collections.abc import Sequence

CHARACTERS_PER_TOKEN = 4
MOST_WORDS = 6
LABEL = re.compile(r"""(?:name|title|product|customer|subject)["']?\s*[:=]\s*["']?([^"'\n,;{}]{2,60})""", re.IGNORECASE)
WORD = re.compile(r"""[^\W\d_][\w-]{3,}(?![\w-]|["']?\s*[:=])""")
COMMON_WORDS = """
about after also answer based been describe description each following from give have into just like make more most only
please product customer message name email price prompt should some sentence short text than that their them then there
these they this title true false null using very what when which will with words would write your
"""
COMMON = frozenset(COMMON_WORDS.split())
SUBJECT_LINES = (
    "{subject} brings {detail} to everyday work, without fuss.",
    "Meet {subject}: made with {detail} in mind and built to last.",
    "{subject} makes the difference where {detail} counts.",
    "With {subject}, {detail} is taken care of from the first day.",
)
CLOSING_LINES = (
    "A choice that pays for itself.",
    "Simple to start with, hard to go without.",
    "Ready when you are.",
    "Chosen by people who know what they need.",
)


def count_tokens(text: str) -> int:
    """Roughly: one token for four characters, at least one for any text."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def digest(text: str) -> int:
    """A number that depends on `text` alone, the same in every process."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8])


def keywords(text: str) -> list[str]:
    """The telling words in order of appearance, each once."""
    seen = dict.fromkeys(word for word in WORD.findall(text) if word.lower() not in COMMON)
    return list(seen)


def subject(text: str) -> str:
    """What the question is about: a labelled name (``Name: Oak desk``), else its first telling words."""
    labelled = LABEL.search(text)
    if labelled:
        return labelled.group(1).strip()
    return " ".join(keywords(text)[:2]) or "This"


def sentence(text: str, variant: int = 0) -> str:
    """A short answer to `text`; another `variant` gives another answer."""
    number = digest(text) + variant
    name = subject(text)
    details = [word for word in keywords(text) if word.lower() not in name.lower()][:MOST_WORDS]
    detail = _joined(_picked(details, number)) or "good craft"
    line = SUBJECT_LINES[number % len(SUBJECT_LINES)].format(subject=name, detail=detail)
    return f"{line[:1].upper()}{line[1:]} {CLOSING_LINES[number // 7 % len(CLOSING_LINES)]}"


def _picked(words: Sequence[str], number: int) -> list[str]:
    if len(words) < 3:
        return list(words)
    start = number % (len(words) - 1)
    return list(words[start : start + 2])


def _joined(words: Sequence[str]) -> str:
    return " and ".join(word.lower() for word in words)


def pieces(text: str) -> list[str]:
    """`text` cut into the pieces of a stream; joined they are the text again."""
    return re.findall(r"\S+\s*|\s+", text)
