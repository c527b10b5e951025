"""What may be written of a request or an answer: headers without credentials, bodies bounded and free of keys.

`clean` knows keys by their look, `forget` takes out the one key that was sent, whatever it looks like.
"""

from __future__ import annotations

import html
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote

LIMIT = 64 * 1024
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "api-key", "x-api-key"})
SECRET_FIELDS = frozenset({"signing_secret", "api_key", "client_secret", "secret", "password", "value_secret"})
KEY_LIKE = re.compile(r"\b((?:sk-|pb[a-z]_)[A-Za-z0-9_\-]{8,}|whsec_[A-Za-z0-9+/=]{8,})")
CREDENTIALS = re.compile(r"(?<=://)[^/\s:@\[]*:[^/\s@]+(?=@)")
# A shorter key (local servers take any word) stands in texts that have nothing to do with it.
SHORTEST_KEY = 8
# A JSON body that names none of these, nor could by writing a letter as \u0061, holds no secret field.
# What holds `client_secret` holds `secret`: the shortest words are enough.
SUSPICIOUS = (
    b"\\u00",
    *(name.encode() for name in sorted(SECRET_FIELDS) if not any(short in name for short in SECRET_FIELDS - {name})),
)
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
UNLOGGED = "[redacted: not to be logged]"
LONGEST_IN_PATTERN = 2_000  # a pattern of a longer value takes long to make
LONGEST_WORD = 2  # characters; a longer value is taken out of the middle of words too
FORM_LIMIT = 16 * 1024 * 1024  # a larger form is not taken apart, only described
BOUNDARY = re.compile(r'^multipart/form-data;.*boundary="?([^";\s]+)')
NAME, FILE = re.compile(r'\bname="([^"]*)"'), re.compile(r'\bfilename="([^"]*)"')
KIND = re.compile(r"^content-type:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True)
class Redacted:
    """A body as the log keeps it. `size` is the true size in bytes, `truncated` says that `text` holds only its beginning."""

    text: str = ""
    size: int = 0
    truncated: bool = False
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def mark(kind: str, value: str) -> str:
    return f"[redacted: {kind}, {len(value)} characters]"


def headers(values: Iterable[tuple[str, str]] | Mapping[str, str]) -> dict[str, str]:
    pairs = values.items() if isinstance(values, Mapping) else values
    shown = {name.lower(): value for name, value in pairs}
    if not SECRET_HEADERS.isdisjoint(shown):
        for name in SECRET_HEADERS & shown.keys():
            shown[name] = mark("credential", shown[name])
    # Nearly always there is nothing else to hide: one look at all of them tells.
    together = "\n".join(shown.values())
    return shown if clean(together) == together else {name: clean(value) for name, value in shown.items()}


def clean(text: str) -> str:
    """Anything that looks like a key, a signing secret or a password in an address is replaced by its kind and length."""
    text = storable(text)
    # Looking for a word is many times faster than for a pattern, and nearly every text holds none of these.
    if "sk-" in text or "whsec_" in text or "pb" in text:
        text = KEY_LIKE.sub(lambda found: mark("key", found.group()), text)
    if "://" in text and "@" in text:
        text = CREDENTIALS.sub(lambda found: mark("credentials", found.group()), text)
    return text


class Formatter(logging.Formatter):
    """For the program's own log files: what a library says of a request may hold its address, and that a token."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


def storable(text: str) -> str:
    """Without what JSON may hold and neither a text column nor UTF-8 takes: NUL and halves of surrogate pairs."""
    # Whether a text is ASCII it knows without looking; to look for a pattern takes as long as all else here.
    return text if text.isascii() and "\0" not in text else UNSTORABLE.sub("\ufffd", text)


def forget(content: bytes, key: str) -> bytes:
    """What a far side said, without the key that it was sent: as it is, or as JSON, HTML and addresses write it."""
    if len(key) >= SHORTEST_KEY:
        for form in _forms(key):
            if content.find(form) >= 0:  # see _suspicious
                content = content.replace(form, mark("key", key).encode())
    return content


def leave_out(content: bytes, values: Sequence[str], numbers: bool = False) -> bytes:
    """A body without these values, in any of its texts. A value of one or two characters is taken out where it is a word.

    JSON stays JSON, and its names as they are; with `numbers`, those that are such a value go too. A body that cannot be
    taken apart is searched as it is.
    """
    if not values or not content:
        return content
    hide = _hider(tuple(values))
    try:
        body = json.loads(content)
        return json.dumps(_left_out(body, hide, numbers), ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return hide(content.decode("utf-8", "replace")).encode()


@lru_cache(maxsize=64)
def _hider(values: tuple[str, ...]) -> Callable[[str], str]:
    """Takes values out of a text, as they are and as JSON in a text writes them, the longest first."""
    forms = {
        form
        for value in values
        for form in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    }
    by_length = sorted(filter(None, forms), key=len, reverse=True)
    long = [form for form in by_length if len(form) > LONGEST_IN_PATTERN]
    ways = [
        re.escape(form) if len(form) > LONGEST_WORD else rf"(?<!\w){re.escape(form)}(?!\w)"
        for form in by_length[len(long) :]
    ]
    found = re.compile("|".join(ways)) if ways else None

    def hide(text: str) -> str:
        for form in long:
            text = text.replace(form, UNLOGGED)
        return found.sub(UNLOGGED, text) if found else text

    return hide


def _left_out(value: Any, hide: Callable[[str], str], numbers: bool) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {name: _left_out(inner, hide, numbers) for name, inner in value.items()}
    if isinstance(value, list):
        return [_left_out(inner, hide, numbers) for inner in value]
    if numbers and isinstance(value, int | float) and not isinstance(value, bool):
        return UNLOGGED if hide(str(value).removesuffix(".0")) == UNLOGGED else value
    return value


class Forgetter:
    """`forget` for what comes in pieces: a key that is cut by the end of a piece is found with the next."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """As much as can be given on: all but an end with which the key may begin."""
        content = forget(self._held + piece, self._key)
        cut = len(content) - self._beginning(content)
        self._held = content[cut:]
        return content[:cut]

    def rest(self) -> bytes:
        held, self._held = self._held, b""
        return held

    def _beginning(self, content: bytes) -> int:
        """The length of the longest end of `content` that is the beginning of a key."""
        if len(self._key) < SHORTEST_KEY:
            return 0
        ends = (
            size
            for form in _forms(self._key)
            for size in range(min(len(form) - 1, len(content)), 0, -1)
            if content.endswith(form[:size])
        )
        return max(ends, default=0)


@lru_cache(maxsize=256)
def _forms(key: str) -> tuple[bytes, ...]:
    """How a key may be written, the longest first."""
    written = json.dumps(key)[1:-1]
    forms = {key, written, written.replace("/", r"\/"), html.escape(key), quote(key), quote(key, safe="")}
    return tuple(form.encode() for form in sorted(forms, key=len, reverse=True))


def body(content: bytes, content_type: str, header_values: Mapping[str, str]) -> Redacted:
    """JSON is redacted by field, other text by pattern; binary content is described, not kept."""
    return shown(content, content_type, headers(header_values))


def shown(content: bytes, content_type: str, header_values: dict[str, str]) -> Redacted:
    """`body` for headers that are redacted already."""
    text = _readable(content, content_type)
    return Redacted(text[:LIMIT], len(content), len(text) > LIMIT, content_type, header_values)


def _readable(content: bytes, content_type: str) -> str:
    if not content:
        return ""
    boundary = BOUNDARY.search(content_type) if "multipart" in content_type else None
    if boundary and len(content) <= FORM_LIMIT:
        return clean("\n".join(_form_lines(content, boundary[1])))
    if "json" in content_type and len(content) <= 4 * LIMIT and _suspicious(content):
        try:
            return clean(json.dumps(_without_secrets(json.loads(content)), ensure_ascii=False))
        except (ValueError, RecursionError):
            pass
    try:
        return clean(content[: 2 * LIMIT].decode("utf-8", errors="strict" if len(content) <= 2 * LIMIT else "ignore"))
    except UnicodeDecodeError:
        return f"[{content_type or 'binary'}, {len(content)} bytes]"


def _suspicious(content: bytes) -> bool:
    # Not by `in`: of bytes it asks first whether the word is a number, and an error is made and thrown away to say no.
    return any(content.find(word) >= 0 for word in SUSPICIOUS)


def _form_lines(content: bytes, boundary: str) -> Iterator[str]:
    """What stands in a multipart form: the value of a field; name, kind and size of a file, and its content if it is text."""
    for part in content.split(f"--{boundary}".encode())[1:-1]:
        raw_head, _, value = part.removesuffix(b"\r\n").partition(b"\r\n\r\n")
        head = raw_head.decode("utf-8", "replace")
        name, file, kind = (found[1] if (found := each.search(head)) else "" for each in (NAME, FILE, KIND))
        if file:
            yield f"{name}: {file}, {kind or 'binary'}, {len(value):,} bytes"
            with suppress(UnicodeDecodeError):
                yield value[: 2 * LIMIT].decode("utf-8", "strict" if len(value) <= 2 * LIMIT else "ignore")
        else:
            text = value[:LIMIT].decode("utf-8", "replace")
            yield f"{name}: {mark('secret', text) if name in SECRET_FIELDS else text}"


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: mark("secret", item) if name in SECRET_FIELDS and isinstance(item, str) else _without_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value
