"""One-click repairs of a formula: what the button carries, and what comes of it. Pure."""

from __future__ import annotations

import re

# The place of the marked part, its length, and what stands there instead.
REPAIR = re.compile(r"(\d{1,6}):(\d{1,4}):(\$?\w{1,60})")


def repaired(source: str, repair: str) -> str:
    """The formula with the marked part put right; as it was where the repair can't be read or lies outside of it."""
    # Browsers send line breaks as two characters, and places are counted with one.
    source = source.replace("\r\n", "\n")
    found = REPAIR.fullmatch(repair)
    if found is None or int(found[1]) + int(found[2]) > len(source):
        return source
    start, end = int(found[1]), int(found[1]) + int(found[2])
    return source[:start] + found[3] + source[end:]
