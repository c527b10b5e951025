"""Answers that are broken off on purpose: the far side broke in the middle, and the caller has to see that it did.

Uvicorn hangs up when an application returns in the middle of an answer, as it must, and calls that an error of the program.
For these it is none, and the proxy has said so in a warning of its own.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar

# Of the request that this task answers.
on_purpose: ContextVar[bool] = ContextVar("on_purpose", default=False)


class NotOnPurpose(logging.Filter):
    """Lets pass what Uvicorn says of an answer without an end, unless it has none on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (on_purpose.get() and "without completing response" in record.getMessage())
