"""Which models a connection offers, and what is to be known about one: when it ends, what follows it, a likely typo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from connections.models import Connection
from openai_api.catalogue.models import KNOWN, shutdown_of

SOON = timedelta(days=60)


@dataclass(frozen=True)
class ModelNote:
    """A remark on a chosen model. `tone` is info, warn or bad; nothing is forbidden by it."""

    tone: str
    text: str

    @property
    def needs_a_look(self) -> bool:
        return self.tone != "info"


def model_options(connection: Connection | None) -> list[tuple[str, str]]:
    """(id, remark) of the account's models, for a picker."""
    rows = connection.models_seen if connection is not None else []
    return [(row["id"], _remark(_end(row["id"], row["shutdown"]))) for row in rows]


def end_of(connection: Connection | None, model: str) -> date | None:
    """The last day on which the model answers: what the account's own list says, else what was published."""
    rows = connection.models_seen if connection is not None else []
    return _end(model, next((row["shutdown"] for row in rows if row["id"] == model), None))


def _end(model: str, said: str | None) -> date | None:
    return date.fromisoformat(said) if said else shutdown_of(model)


def note_on(connection: Connection | None, model: str) -> ModelNote | None:
    """What a person should know before choosing this model, or None."""
    if not model:
        return None
    end, today = end_of(connection, model), timezone.localdate()
    if end is not None and end < today:
        return ModelNote("bad", f"{model} was shut down on {words(end)}: calls to it fail.{_follower(model)}")
    if end is not None:
        tone = "warn" if end - today <= SOON else "info"
        return ModelNote(tone, f"{model} ends on {words(end)}, {_left(end, today)}.{_follower(model)}")
    if connection is not None and connection.models_seen and model not in {row["id"] for row in connection.models_seen}:
        return ModelNote("warn", f"{model} is not on this account's list of models. Check the spelling.")
    return None


def _left(end: date, today: date) -> str:
    days = (end - today).days
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


def words(day: date) -> str:
    """`11 December 2026`."""
    return f"{day.day} {day:%B %Y}"


def _remark(end: date | None) -> str:
    if end is None:
        return ""
    return f"ended {words(end)}" if end < timezone.localdate() else f"ends {words(end)}"


def _follower(model: str) -> str:
    known = KNOWN.get(model)
    return f" OpenAI names {known.replacement} in its place." if known and known.replacement else ""
