"""The order of a mapping's rules and of an installation's mappings: one step up or down, or as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.db import transaction

from connections.models import Installation
from logs import audit
from logs.audit import Actor
from mappings.actions import changed
from mappings.models import Mapping, Rule

Row = TypeVar("Row", Mapping, Rule)


def move_rule(actor: Actor, rule: Rule, step: int) -> bool:
    """Move a rule `step` places down (up if negative). False at the end."""
    rules = list(rule.mapping.rules.all())
    return order_rules(actor, rule.mapping, _stepped(rules, rule, step))


@transaction.atomic
def order_rules(actor: Actor, mapping: Mapping, first: Iterable[int]) -> bool:
    """Put the rules of these ids first, in this order, the others after them. False where that is how they stand."""
    rules = list(mapping.rules.all())
    wanted = _in_order(rules, first)
    if wanted == rules:
        return False
    for number, rule in enumerate(wanted, start=1):
        rule.order = number
    Rule.objects.bulk_update(wanted, ["order"])
    targets = [[rule.target for rule in each] for each in (rules, wanted)]
    return changed(actor, mapping, {"order of rules": targets})


def move_mapping(actor: Actor, mapping: Mapping, step: int) -> bool:
    """Move a mapping among those of its installation. False at the end."""
    return order_mappings(actor, mapping.installation, _stepped(_all_of(mapping.installation), mapping, step))


@transaction.atomic
def order_mappings(actor: Actor, installation: Installation, first: Iterable[int]) -> bool:
    """As `order_rules`. It makes no version: what each mapping says stays as it is."""
    mappings = _all_of(installation)
    wanted = _in_order(mappings, first)
    if wanted == mappings:
        return False
    for number, mapping in enumerate(wanted, start=1):
        mapping.order = number
    Mapping.objects.bulk_update(wanted, ["order"])
    names = [[mapping.name for mapping in each] for each in (mappings, wanted)]
    audit.write(actor, "ordered mappings", "installation", installation.pk, installation.name, {"order": names})
    return True


def _all_of(installation: Installation) -> list[Mapping]:
    return list(installation.mappings.order_by("order", "pk"))


def _stepped(rows: list[Row], row: Row, step: int) -> list[int]:
    """The ids in their order after the step."""
    ids = [each.pk for each in rows]
    old = ids.index(row.pk)
    ids.insert(min(max(old + step, 0), len(ids) - 1), ids.pop(old))
    return ids


def _in_order(rows: list[Row], first: Iterable[int]) -> list[Row]:
    known = {row.pk: row for row in rows}
    named = [known[pk] for pk in dict.fromkeys(first) if pk in known]
    return named + [row for row in rows if row not in named]
