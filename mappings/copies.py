"""A mapping once more: as it is, or turned round. A copy is off until somebody has looked at it."""

from __future__ import annotations

from django.db.models import Max

from logs.audit import Actor
from mappings.actions import Values, create_mapping, snapshot
from mappings.models import Mapping, MappingVersion
from mappings.reversing import reverse

LONGEST = Mapping._meta.get_field("name").max_length or 0


def clone(actor: Actor, mapping: Mapping) -> Mapping:
    return _made(actor, mapping, snapshot(mapping), _free_name(mapping, f"Copy of {mapping.name}"), "Copy")


def clone_reversed(actor: Actor, mapping: Mapping, name: str) -> Mapping:
    """Raises NameTaken."""
    return _made(actor, mapping, reverse(snapshot(mapping)).said, name, "Turned round")


def reversed_name(mapping: Mapping) -> str:
    """`Product to Create response` becomes `Create response to Product`, if there is no such mapping yet."""
    one, middle, other = mapping.name.partition(" to ")
    return _free_name(mapping, f"{other} to {one}" if middle and other else f"{mapping.name}, turned round")


def _made(actor: Actor, mapping: Mapping, said: Values, name: str, how: str) -> Mapping:
    last = mapping.installation.mappings.aggregate(last=Max("order"))["last"] or 0
    given = said | {"name": name, "order": last + 1, "active": False}
    new, rules = MappingVersion(said=given).rows()
    new.pk, new.version, new.installation = None, 1, mapping.installation
    return create_mapping(actor, new, rules, f"{how} of {mapping.name}, version {mapping.version}")


def _free_name(mapping: Mapping, wanted: str) -> str:
    taken = set(mapping.installation.mappings.values_list("name", flat=True))
    tries = [wanted[:LONGEST], *(f"{wanted[: LONGEST - 5]} {number}" for number in range(2, 1000))]
    return next(name for name in tries if name not in taken)
