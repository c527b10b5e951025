"""What deletes or costs much: only administrators may, and they are asked once more, by the name of the thing. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote

# method, path → what it does to the thing
DELETES = "This deletes {thing} at OpenAI. It can't be undone."
TRAINS = "This sends {thing}: fine-tuning is paid by the hour or by what it trains on."
GOVERNS = "This changes {thing}: it holds for the whole organization."
WRITING = re.compile("POST|PUT|PATCH")
RULES = (
    (re.compile("DELETE"), re.compile("/.*"), DELETES),
    (WRITING, re.compile(r"/fine_tuning\b.*"), TRAINS),
    (WRITING, re.compile(r"/organization\b.*"), GOVERNS),
)


def consequence(method: str, path: str) -> str:
    """A sentence that names the thing; empty for what an operator may send without being asked."""
    plain = unquote(unquote(path)).lower()
    found = (words for methods, paths, words in RULES if methods.fullmatch(method) and paths.fullmatch(plain))
    return next(found, "").format(thing=path)


def sure(method: str, path: str) -> str:
    """What a confirmation holds, so that it confirms this request and no other."""
    return f"{method} {path}"
