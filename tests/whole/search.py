"""Looking for secrets in clear: whole or in part, and as addresses, JSON, HTML and base64 write them."""

from __future__ import annotations

import html
import json
import sqlite3
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

# A piece of so many characters of a secret counts as the secret. The last four may be shown.
PIECE, STEP = 14, 3


def forms_of(secret: str) -> set[bytes]:
    """Every way of writing it that is looked for."""
    written = json.dumps(secret)[1:-1]
    forms = {secret, written, written.replace("/", r"\/"), html.escape(secret)}
    forms |= {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    forms |= {secret[start : start + PIECE] for start in range(0, len(secret) - PIECE + 1, STEP)}
    return {form.encode() for form in forms} | set(_in_base64(secret.encode())) | {secret.encode().hex().encode()}


def _in_base64(secret: bytes) -> Iterator[bytes]:
    """Base64 writes three bytes as four signs, so there are three ways to write what stands inside of something longer."""
    for shift in range(3):
        whole = secret[shift:][: (len(secret) - shift) // 3 * 3]
        yield b64encode(whole)
        yield urlsafe_b64encode(whole)


def leaks(secrets: Mapping[str, str], places: Mapping[str, bytes]) -> set[tuple[str, str]]:
    """`(secret's name, place)` for each secret that stands in a place."""
    forms = {name: forms_of(secret) for name, secret in secrets.items()}
    return {
        (name, place)
        for place, content in places.items()
        for name, ways in forms.items()
        if any(way in content for way in ways)
    }


def files_under(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()
    }


def rows_of(database: Path) -> bytes:
    """Every row in words: in the file itself a long value may be scattered over pages."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return "\n".join(connection.iterdump()).encode()
