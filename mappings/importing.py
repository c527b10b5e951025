"""Taking over a file of mappings: what would change, then the change. A mapping is known by its name."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from connections.models import Installation
from logs.audit import Actor
from mappings import files
from mappings.actions import Values, create_mapping, snapshot, write_mapping
from mappings.differences import differences
from mappings.models import Mapping, MappingVersion
from ui.states import State, states
from versions.differences import Difference

CHANGES = states(
    State("add", "New", "ok", "plus"),
    State("change", "Changed", "info", "edit"),
    State("same", "As it is", "quiet", "ok"),
)


@dataclass(frozen=True)
class Change:
    """What a file would do to one mapping."""

    said: Values
    mapping: Mapping | None
    rows: list[Difference]

    @property
    def name(self) -> str:
        return str(self.said["name"])

    @property
    def what(self) -> str:
        return "add" if self.mapping is None else "change" if self.rows else "same"

    @property
    def state_info(self) -> State:
        return CHANGES[self.what]


def exported(installation: Installation, mappings: list[Mapping] | None = None) -> str:
    """The file of an installation's mappings, or of some of them."""
    chosen = list(installation.mappings.order_by("order", "pk")) if mappings is None else mappings
    return files.written(installation.name, map(snapshot, chosen))


def plan(installation: Installation, text: str) -> list[Change]:
    """What a file would change, in its order. Raises `files.FileError`."""
    known = {mapping.name: mapping for mapping in installation.mappings.all()}
    directions = {name: mapping.direction for name, mapping in known.items()}
    return [_change(said, known.get(said["name"])) for said in files.read(text, directions)]


@transaction.atomic
def carry_out(actor: Actor, installation: Installation, changes: list[Change], note: str) -> None:
    for change in changes:
        if change.mapping is not None:
            if change.rows:
                write_mapping(actor, change.mapping, change.said, note, "imported")
            continue
        new, rules = MappingVersion(said=change.said).rows()
        new.pk, new.version, new.installation = None, 1, installation
        create_mapping(actor, new, rules, note)


def _change(said: Values, mapping: Mapping | None) -> Change:
    before = snapshot(mapping) if mapping else {}
    return Change(said, mapping, differences(before, said, standing=True))
