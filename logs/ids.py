"""Time-ordered identifiers (UUID version 7, RFC 9562), so that a primary key is also a place in time."""

from __future__ import annotations

import os
import random
import time
import uuid

# Ids are not secrets: they need a generator of their own in each process, not a word with the kernel for each.
_random = random.Random()  # noqa: S311 - see above
os.register_at_fork(after_in_child=_random.seed)


def uuid7() -> uuid.UUID:
    """48 bits of Unix milliseconds, then 74 random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | _random.getrandbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def short() -> str:
    """Twenty hexadecimal digits that nobody else has: 48 bits of Unix milliseconds, then 32 random bits.

    They begin with the time so that an index of them grows at its end.
    """
    return f"{time.time_ns() // 1_000_000:012x}{_random.getrandbits(32):08x}"
