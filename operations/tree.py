"""JSON as a tree of `<details>`: it opens and closes without script; search and copied paths are the script's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# Opened at first: as deep as OpenAI's objects hide what one looks for.
OPEN_TO = 2
PLAIN_NAME = re.compile(r"[^.`]+")


def drawn(document: Any) -> SafeString:
    """The whole document. It is bounded already (`operations.showing.Cutter`)."""
    return format_html('<ul class="tree">{}</ul>', _node("", document, "", 0))


def path_to(path: str, name: str | int) -> str:
    """As mappings write paths: names with dots between them, in backticks where they hold a dot themselves."""
    part = str(name) if PLAIN_NAME.fullmatch(str(name)) else f"`{name}`"
    return f"{path}.{part}" if path else part


def _node(name: str | int, value: Any, path: str, depth: int) -> SafeString:
    if isinstance(value, (dict, list)) and value:
        return _branch(name, value, path, depth)
    if not path:
        return format_html("<li>{}</li>", _leaf(value))
    button = format_html('<button type="button" class="k" data-path="{}">{}</button>', path, name)
    return format_html("<li>{} {}</li>", button, _leaf(value))


def _branch(name: str | int, value: dict[str, Any] | list[Any], path: str, depth: int) -> SafeString:
    pairs: Iterable[tuple[str | int, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
    inner = format_html_join("", "{}", ((_node(key, item, path_to(path, key), depth + 1),) for key, item in pairs))
    return format_html(
        '<li><details{}><summary{}>{}<span class="tree-many">{}</span></summary><ul>{}</ul></details></li>',
        SafeString(" open") if depth < OPEN_TO else "",
        format_html(' data-path="{}"', path) if path else "",
        format_html('<span class="k">{}</span> ', name) if path else "",
        _many(value),
        inner,
    )


def _many(value: dict[str, Any] | list[Any]) -> str:
    if isinstance(value, list):
        return f"{len(value)} in a list"
    return f"{len(value)} field{'' if len(value) == 1 else 's'}"


def _leaf(value: Any) -> SafeString:
    css = "st" if isinstance(value, str) else "bo" if isinstance(value, bool) or value is None else "nu"
    text = value if isinstance(value, str) else json.dumps(value)
    return format_html('<span class="{}">{}</span>', css, text)
