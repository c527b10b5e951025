"""What may be written of a request or an answer: headers without credentials, bodies bounded and free of keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

LIMIT = 64 * 1024
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "api-key", "x-api-key"})
SECRET_FIELDS = frozenset({"signing_secret", "api_key", "client_secret", "secret", "password", "value_secret"})
FORM_LIMIT = 16 * 1024 * 1024  # a larger form is not taken apart, only described
BOUNDARY = re.compile(r'^multipart/form-data;.*boundary="?([^";\s]+)')
NAME, FILE = re.compile(r'\bname="([^"]*)"'), re.compile(r'\bfilename="([^"]*)"')
KIND = re.compile(r"^content-type:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
KEY_LIKE = re.compile(r"\b(sk-[A-Za-z0-9_\-]{8,}|whsec_[A-Za-z0-9+/=]{8,})")


@dataclass(frozen=True)
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
    return {
        name.lower(): mark("credential", value) if name.lower() in SECRET_HEADERS else clean(value)
        for name, value in pairs
    }


def clean(text: str) -> str:
    """Anything that looks like a key or a signing secret, wherever it stands, is replaced by its kind and length."""
    return KEY_LIKE.sub(lambda found: mark("key", found.group()), text)


def body(content: bytes, content_type: str, header_values: Mapping[str, str]) -> Redacted:
    """JSON is redacted by field, other text by pattern; binary content is described, not kept."""
    shown = headers(header_values)
    text = _readable(content, content_type)
    return Redacted(
        text=text[:LIMIT], size=len(content), truncated=len(text) > LIMIT, content_type=content_type, headers=shown
    )


def _readable(content: bytes, content_type: str) -> str:
    if not content:
        return ""
    boundary = BOUNDARY.search(content_type)
    if boundary and len(content) <= FORM_LIMIT:
        return clean("\n".join(_form_lines(content, boundary[1])))
    if "json" in content_type and len(content) <= 4 * LIMIT:
        try:
            return clean(json.dumps(_without_secrets(json.loads(content)), ensure_ascii=False))
        except ValueError:
            pass
    try:
        return clean(content[: 2 * LIMIT].decode("utf-8", errors="strict" if len(content) <= 2 * LIMIT else "ignore"))
    except UnicodeDecodeError:
        return f"[{content_type or 'binary'}, {len(content)} bytes]"


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
