"""Every change of a mapping: the change, its new version number and its audit line, in one transaction."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from logs import audit
from logs.audit import Actor
from mappings.models import Mapping, Rule

MAPPING_FIELDS = (
    "name",
    "entity",
    "direction",
    "operation",
    "task",
    "sync_type",
    "filter",
    "error_filter",
    "protection",
    "description",
    "order",
    "active",
)
RULE_FIELDS = ("kind", "target", "source", "default", "required", "update_mode", "value_type", "lookup")
Values = dict[str, Any]


@transaction.atomic
def create_mapping(actor: Actor, mapping: Mapping) -> Mapping:
    """Save a new, unsaved mapping."""
    mapping.save()
    audit.write(
        actor, "created", "mapping", mapping.pk, mapping.name, audit.changed({}, _values(mapping, MAPPING_FIELDS))
    )
    return mapping


@transaction.atomic
def change_mapping(actor: Actor, mapping: Mapping, values: Values) -> bool:
    """Give a mapping new values; False, and no new version, where nothing differs."""
    mapping = Mapping.objects.select_for_update().get(pk=mapping.pk)
    changes = audit.changed(_values(mapping, MAPPING_FIELDS), values)
    for name, value in values.items():
        setattr(mapping, name, value)
    return _changed(actor, mapping, changes)


@transaction.atomic
def delete_mapping(actor: Actor, mapping: Mapping) -> None:
    audit.write(actor, "deleted", "mapping", mapping.pk, mapping.name)
    mapping.delete()


@transaction.atomic
def save_rule(actor: Actor, rule: Rule, values: Values) -> bool:
    """Save a new or a changed rule of `rule.mapping`; False, and no new version, where nothing differs."""
    before = _values(Rule.objects.get(pk=rule.pk), RULE_FIELDS) if rule.pk else {}
    changes = audit.changed(before, values)
    if rule.pk and not changes:
        return False
    for name, value in values.items():
        setattr(rule, name, value)
    if not rule.pk:
        rule.order = (rule.mapping.rules.aggregate(last=Max("order"))["last"] or 0) + 1
    rule.save()
    return _changed(actor, rule.mapping, {f"rule {rule.target}": [before or None, changes]})


@transaction.atomic
def delete_rule(actor: Actor, rule: Rule) -> None:
    mapping, before = rule.mapping, _values(rule, RULE_FIELDS)
    rule.delete()
    _changed(actor, mapping, {f"rule {rule.target}": [before, None]})


@transaction.atomic
def move_rule(actor: Actor, rule: Rule, step: int) -> bool:
    """Move a rule `step` places down (up if negative); all are numbered afresh. False at the end."""
    rules = list(rule.mapping.rules.all())
    old = rules.index(rule)
    new = min(max(old + step, 0), len(rules) - 1)
    if new == old:
        return False
    rules.insert(new, rules.pop(old))
    for number, each in enumerate(rules, start=1):
        each.order = number
    Rule.objects.bulk_update(rules, ["order"])
    return _changed(actor, rule.mapping, {f"place of rule {rule.target}": [old + 1, new + 1]})


def _changed(actor: Actor, mapping: Mapping, changes: Values) -> bool:
    if not changes:
        return False
    # The row in hand may be older than the one stored; a version must never be given twice.
    mapping.version = Mapping.objects.values_list("version", flat=True).get(pk=mapping.pk) + 1
    mapping.changed_at = timezone.now()
    mapping.save()
    audit.write(
        actor,
        "changed",
        "mapping",
        mapping.pk,
        mapping.name,
        changes | {"version": [mapping.version - 1, mapping.version]},
    )
    return True


def _values(row: Mapping | Rule, names: tuple[str, ...]) -> Values:
    return {name: getattr(row, name) for name in names}
