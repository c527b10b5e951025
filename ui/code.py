"""Code viewer: JSON or text as lines with token classes, and what was redacted as hatching instead of brackets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

TOKENS = re.compile(
    r"""(?P<k>"(?:\\.|[^"\\])*"(?=\s*:))"""
    r"""|(?P<st>"(?:\\.|[^"\\])*")"""
    r"""|(?P<nu>-?\b\d[\d.eE+-]*)"""
    r"""|(?P<bo>\b(?:true|false|null)\b)"""
)
# What `logs` writes in place of a value: `[redacted: kind, N characters]`.
REDACTED = re.compile(r"\[redacted: ([^\[\]\n]{1,60}, [\d,]{1,12} characters?)\]")


def code_lines(value: object) -> list[SafeString]:
    """One safe piece of HTML a line. Text that is a JSON object or array is laid out; any other text stays as it is."""
    data = _parsed(value) if isinstance(value, str) else value
    if isinstance(data, str):
        return [_with_redactions(line) for line in data.split("\n")]
    text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    return [_with_tokens(line) for line in _printable(text).split("\n")]


def _parsed(text: str) -> object:
    if not text.lstrip().startswith(("{", "[")):
        return _printable(text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _printable(text)


def _printable(text: str) -> str:
    """Half characters, which JSON can carry and UTF-8 cannot, become question marks."""
    return text.encode("utf-8", "replace").decode()


def _with_tokens(line: str) -> SafeString:
    return mark_safe("".join(_pieces(line)))  # noqa: S308 - every piece is escaped below


def _pieces(line: str) -> Iterator[str]:
    end = 0
    for token in TOKENS.finditer(line):
        yield escape(line[end : token.start()])
        yield format_html('<span class="{}">{}</span>', token.lastgroup, _with_redactions(token.group()))
        end = token.end()
    yield escape(line[end:])


def _with_redactions(text: str) -> SafeString:
    """The odd parts of the split are what the pattern's group caught."""
    shown = (
        format_html('<span class="redacted">{}</span>', part) if i % 2 else escape(part)
        for i, part in enumerate(REDACTED.split(text))
    )
    return mark_safe("".join(shown))  # noqa: S308 - escaped in the lines above
