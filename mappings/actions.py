"""Every change of a mapping: the change, its version and its audit line, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from connections.models import Installation
from logs import audit
from logs.audit import SYSTEM, Actor
from mappings.models import Mapping, MappingVersion, Rule, column

# The one list of what a mapping and a rule say: versions, differences, files and copies are made from it.
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
RULE_FIELDS = ("kind", "target", "source", "default", "required", "update_mode", "value_type", "lookup", "active")
# Where a mapping stands among the others and whether it is used is no part of what it says, so it makes no version.
STANDING = ("order", "active")
Values = dict[str, Any]
Row = TypeVar("Row", Mapping, Rule)


class NameTaken(Exception):
    """Another mapping of the installation has this name. The message says what to do."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a mapping “{name}” already. Give that one another name first.")


def snapshot(mapping: Mapping, rules: Iterable[Rule] | None = None) -> Values:
    """All that a mapping says, as plain data."""
    said = Rule.objects.filter(mapping=mapping) if rules is None else rules
    return _values(mapping, MAPPING_FIELDS) | {"rules": [_values(rule, RULE_FIELDS) for rule in said]}


def recorded(mapping: Mapping) -> MappingVersion:
    """The version that says what the mapping says now, for results to name."""
    newest = MappingVersion.objects.of(mapping.pk).first()
    if newest and _same(snapshot(*newest.rows()), snapshot(mapping, mapping.rules.all())):
        return newest
    return _keep(SYSTEM, mapping, "")[0]


def create_mapping(actor: Actor, mapping: Mapping, rules: Iterable[Rule] = (), note: str = "") -> Mapping:
    """Save a new, unsaved mapping with its rules. Raises NameTaken."""
    try:
        with transaction.atomic():
            mapping.save()
            _write_rules(mapping, [_values(rule, RULE_FIELDS) for rule in rules])
            _keep(actor, mapping, note)
            changes = audit.changed({}, _values(mapping, MAPPING_FIELDS))
            count = mapping.rules.count()
            changes |= {"rules": [None, count]} if count else {}
            audit.write(actor, "created", "mapping", mapping.pk, mapping.name, changes)
    except IntegrityError:
        raise NameTaken(mapping.name) from None
    return mapping


@transaction.atomic
def change_mapping(actor: Actor, mapping: Mapping, values: Values, note: str = "") -> bool:
    """Give a mapping new values; False, and no new version, where nothing differs."""
    mapping = Mapping.objects.select_for_update().get(pk=mapping.pk)
    changes = audit.changed(_values(mapping, MAPPING_FIELDS), values)
    for name, value in values.items():
        setattr(mapping, name, value)
    mapping.save()
    return _changed(actor, mapping, changes, note=note)


@transaction.atomic
def delete_mapping(actor: Actor, mapping: Mapping) -> None:
    """Its versions stay. Raises RestrictedError while a flow uses it."""
    audit.write(actor, "deleted", "mapping", mapping.pk, mapping.name)
    mapping.delete()


@transaction.atomic
def save_rule(actor: Actor, rule: Rule, values: Values, note: str = "") -> bool:
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
    return _changed(actor, rule.mapping, {f"rule {rule.target}": [before or None, changes]}, note=note)


@transaction.atomic
def delete_rule(actor: Actor, rule: Rule) -> None:
    mapping, before = rule.mapping, _values(rule, RULE_FIELDS)
    rule.delete()
    _changed(actor, mapping, {f"rule {rule.target}": [before, None]})


def write_mapping(
    actor: Actor, mapping: Mapping, said: Values, note: str = "", action: str = "changed"
) -> tuple[MappingVersion, bool]:
    """Make a mapping say what a snapshot says; the version, and whether it is a new one. Raises NameTaken."""
    try:
        with transaction.atomic():
            mapping = Mapping.objects.select_for_update().get(pk=mapping.pk)
            before = snapshot(mapping)
            for name in MAPPING_FIELDS:
                setattr(mapping, name, said.get(name, before[name]))
            mapping.save()
            _write_rules(mapping, said["rules"])
            after = snapshot(mapping)
            _changed(actor, mapping, audit.changed(before, after), action, note)
            return _keep(actor, mapping, note)[0], not _same(before, after)
    except IntegrityError:
        raise NameTaken(said["name"]) from None


def roll_back(actor: Actor, mapping: Mapping, version: MappingVersion) -> tuple[MappingVersion, bool]:
    """A new version that says what `version` said; none where the newest says the same. Raises NameTaken."""
    said = {name: value for name, value in snapshot(*version.rows()).items() if name not in STANDING}
    return write_mapping(actor, mapping, said, f"Back to version {version.number}", "rolled back")


@transaction.atomic
def note_version(actor: Actor, version: MappingVersion, note: str) -> bool:
    """Write beside a version what it is good for. False where that stands there already."""
    if version.note == note:
        return False
    changes = {"note": [version.note, note], "version": [version.number, version.number]}
    MappingVersion.objects.filter(pk=version.pk).update(note=note)
    audit.write(actor, "noted", "mapping", version.mapping_id, version.mapping_name, changes)
    return True


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
    return _changed(actor, mapping, {"order of rules": targets})


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


def _changed(actor: Actor, mapping: Mapping, changes: Values, action: str = "changed", note: str = "") -> bool:
    if not changes:
        return False
    # The row in hand may be older than the one stored, so nothing else of it is written.
    mapping.changed_at = timezone.now()
    mapping.save(update_fields=["changed_at"])
    version, new = _keep(actor, mapping, note)
    if new:
        changes = changes | {"version": [version.number - 1 or None, version.number]}
    audit.write(actor, action, "mapping", mapping.pk, mapping.name, changes | ({"note": [None, note]} if note else {}))
    return True


@transaction.atomic
def _keep(actor: Actor, mapping: Mapping, note: str) -> tuple[MappingVersion, bool]:
    """The newest version, and whether it was made now: what says the same as the newest makes none."""
    held = Mapping.objects.select_for_update(of=("self",)).select_related("installation").get(pk=mapping.pk)
    newest = MappingVersion.objects.of(held.pk).first()
    said = snapshot(held)
    if newest and _same(snapshot(*newest.rows()), said):
        return newest, False
    held.version = mapping.version = newest.number + 1 if newest else held.version
    held.save(update_fields=["version"])
    version = MappingVersion.objects.create(
        mapping_id=held.pk,
        mapping_name=held.name,
        installation_id=held.installation_id,
        installation_name=held.installation.name,
        number=held.version,
        actor=actor.name,
        note=note,
        said=said,
    )
    return version, True


def _same(one: Values, other: Values) -> bool:
    return {**one, **dict.fromkeys(STANDING)} == {**other, **dict.fromkeys(STANDING)}


def _write_rules(mapping: Mapping, wanted: list[Values]) -> None:
    """Give a mapping these rules, in this order. A rule of the same target stays the row that it was."""
    there = list(Rule.objects.filter(mapping=mapping))
    for number, values in enumerate(wanted, start=1):
        rule = next((each for each in there if each.target == values["target"]), None) or Rule(mapping=mapping)
        if rule.pk:
            there.remove(rule)
        for name in RULE_FIELDS:
            setattr(rule, name, values.get(name, column(Rule, name).get_default()))
        rule.order = number
        rule.save()
    Rule.objects.filter(pk__in=[rule.pk for rule in there]).delete()


def _values(row: Mapping | Rule, names: tuple[str, ...]) -> Values:
    return {name: getattr(row, name) for name in names}
