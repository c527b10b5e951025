"""Writing the audit trail: one line per change of configuration, in the transaction of the change itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from logs.models import AuditEntry

MASK = "••••"


@dataclass(frozen=True)
class Actor:
    """Who changes something: a person behind a request, a command, or a job."""

    name: str
    id: int | None = None
    address: str = ""


COMMAND_LINE = Actor("command line")
SYSTEM = Actor("Patchbay")


def changed(
    before: dict[str, Any], after: dict[str, Any], secret: frozenset[str] = frozenset()
) -> dict[str, list[Any]]:
    """Field → [old, new] for what differs; secret fields show only that they changed."""
    return {
        name: [MASK, MASK] if name in secret else [before.get(name), value]
        for name, value in after.items()
        if before.get(name) != value
    }


def write(
    actor: Actor, action: str, kind: str, object_id: object, name: str, changes: dict[str, Any] | None = None
) -> AuditEntry:
    return AuditEntry.objects.create(
        actor_id=actor.id,
        actor_name=actor.name,
        address=actor.address,
        action=action,
        object_kind=kind,
        object_id=str(object_id),
        object_name=name,
        changes=changes or {},
    )
