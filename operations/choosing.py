"""What an installation offers: operations by entity, found by a few words, and what keeps one from being run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from connections.model_dates import words
from connections.models import Connection
from openai_api.catalogue import OPERATIONS, Operation

# What people ask for most stands first; everything else follows by name.
FIRST = (
    "Response", "Chat completion", "Image", "Audio", "Embedding", "Moderation", "File", "Model", "Batch", "Vector store",
    "Conversation",
)  # fmt: skip
# What an operation does with the data of the account, as integrations call it: value, label, what it is.
KINDS = (("", "All", ""), ("subscribe", "Subscribe", "what reads"), ("publish", "Publish", "what writes"))
NO_ADMIN_KEY = "It takes an admin key, and this connection has none."


@dataclass(frozen=True)
class Entity:
    """What operations are about, with how many of its operations were found."""

    name: str
    count: int
    admin: bool
    ended: bool


@dataclass(frozen=True)
class Offer:
    """An operation as one installation offers it. `refused` says why it cannot be run; empty where it can."""

    operation: Operation
    refused: str
    note: str

    @property
    def lacks_key(self) -> bool:
        return self.refused == NO_ADMIN_KEY


def offer(operation: Operation, connection: Connection, today: date) -> Offer:
    return Offer(operation, _refusal(operation, connection, today), _note(operation, today))


def kind_of(operation: Operation) -> str:
    """`subscribe` for what lists and gets, `publish` for what creates, changes and deletes."""
    return "subscribe" if operation.method == "GET" else "publish"


def offers(connection: Connection, today: date, entity: str = "", search: str = "", kind: str = "") -> list[Offer]:
    """The operations of an entity and a kind, or of all, that hold every word searched for; what can be run comes first."""
    wanted = search.lower().split()
    found = [
        offer(row, connection, today)
        for row in OPERATIONS.values()
        if entity in ("", row.entity) and kind in ("", kind_of(row)) and all(word in _text(row) for word in wanted)
    ]
    return sorted(found, key=lambda each: (bool(each.refused), _rank(each.operation.entity), each.operation.path))


def entities(found: Iterable[Offer], today: date) -> list[Entity]:
    by_name: dict[str, list[Operation]] = {}
    for each in found:
        by_name.setdefault(each.operation.entity, []).append(each.operation)
    rows = [
        Entity(name, len(some), all(row.admin for row in some), all(row.ended(today) for row in some))
        for name, some in by_name.items()
    ]
    return sorted(rows, key=lambda row: (row.ended, row.admin, _rank(row.name), row.name))


def is_grave(operation: Operation) -> bool:
    """Whether it costs or deletes much, so that only an administrator may run it and is asked before."""
    return operation.method != "GET" and (
        operation.method == "DELETE" or operation.admin or operation.path.startswith("/fine_tuning/")
    )


def role_for(operation: Operation) -> str:
    return "administrator" if operation.admin or is_grave(operation) else "operator"


def _rank(entity: str) -> int:
    return FIRST.index(entity) if entity in FIRST else len(FIRST)


def _text(operation: Operation) -> str:
    return f"{operation.title} {operation.id} {operation.method} {operation.path} {operation.entity}".lower()


def _refusal(operation: Operation, connection: Connection, today: date) -> str:
    if operation.ended(today):
        ending = operation.lifecycle
        on = f" on {words(ending.day)}" if ending and ending.day and ending.day < today else ""
        if ending and ending.state == "read only":
            return "OpenAI takes nothing new here; what is there can be read for a while."
        return f"OpenAI shut this down{on}. {ending.note if ending else ''}".strip()
    return NO_ADMIN_KEY if operation.admin and not connection.admin_key else ""


def _note(operation: Operation, today: date) -> str:
    ending = operation.lifecycle
    if ending and not operation.ended(today):
        until = f"OpenAI ends this on {words(ending.day)}." if ending.day else "OpenAI advises against this."
        return f"{until} {ending.note}".strip()
    return "OpenAI advises against this." if operation.deprecated and not operation.ended(today) else ""
