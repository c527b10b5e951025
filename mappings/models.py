"""A mapping says how a record becomes a request, or how an answer or event becomes a record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models
from django.urls import reverse
from django.utils import timezone

from connections.models import Installation
from mappings.apply import MappingSpec, RuleSpec
from mappings.choices import (
    DIRECTIONS,
    EVENT,
    FROM_HUB,
    KINDS,
    MAPPING_STATES,
    OPERATIONS,
    SYNC_TYPES,
    TO_HUB,
    UPDATE_MODES,
    VALUE_TYPES,
)
from mappings.structure import schema_of
from ui.states import State
from versions.models import Version

Row = TypeVar("Row", bound=models.Model)


class MappingQuerySet(models.QuerySet["Mapping"]):
    """The active mappings of an installation, in their order. Each is asked for by what it is about to do."""

    def for_push(self, installation: Installation, entity: str) -> MappingQuerySet:
        return self._working(installation).filter(direction=FROM_HUB, entity=entity)

    def for_answer(self, installation: Installation, entity: str, operation: str, task: str = "") -> MappingQuerySet:
        return self._working(installation).filter(direction=TO_HUB, entity=entity, operation=operation, task=task)

    def for_event(self, installation: Installation) -> MappingQuerySet:
        return self._working(installation).filter(direction=TO_HUB, operation=EVENT)

    def _working(self, installation: Installation) -> MappingQuerySet:
        found = self.filter(installation=installation, active=True)
        return found.select_related("installation").prefetch_related("rules").order_by("order", "pk")


class Mapping(models.Model):
    """`version` rises with every saved change of the mapping or its rules, so that a result can name what made it.

    `task` ties those that ask to those that take the answer. `protection` is a list of pairs: a field of the record, and what
    is done with it.
    """

    installation = models.ForeignKey(Installation, on_delete=models.CASCADE, related_name="mappings")
    name = models.CharField(max_length=120)
    entity = models.CharField(max_length=60)
    direction = models.CharField(max_length=10, choices=DIRECTIONS)
    operation = models.CharField(max_length=60, choices=OPERATIONS)
    task = models.CharField(max_length=80, blank=True, default="")
    sync_type = models.CharField(max_length=20, choices=SYNC_TYPES, default="add_and_update")
    filter = models.TextField(blank=True)
    error_filter = models.TextField(blank=True)
    protection = models.JSONField(default=list, blank=True)
    description = models.CharField(max_length=300, blank=True)
    order = models.PositiveIntegerField(default=1)
    active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(default=timezone.now)

    objects = MappingQuerySet.as_manager()

    class Meta:
        ordering = ["installation__name", "order", "pk"]
        constraints = [models.UniqueConstraint(fields=["installation", "name"], name="mapping_name_once")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("mappings:detail", args=[self.pk])

    @property
    def state_info(self) -> State:
        return MAPPING_STATES["active" if self.active else "inactive"]

    @property
    def version_label(self) -> str:
        return f"Version {self.version}"

    @property
    def delete_warning(self) -> str:
        return f"Its {self.rules.count()} rules go with it, and {self.entity} records are no longer mapped by it."

    def spec(self) -> MappingSpec:
        """The mapping as the pure functions of `mappings.apply` take it."""
        takers = [rule for taker in self.takers() for rule in taker.rules.all()] if self.direction == FROM_HUB else []
        return self.spec_with(self.rules.all(), self.installation.model, takers)

    def takers(self) -> MappingQuerySet:
        """The mappings that take the answer to what this one asks."""
        return Mapping.objects.for_answer(self.installation, self.entity, self.operation, self.task)

    def spec_with(self, rules: Iterable[Rule], model: str, takers: Iterable[Rule] = ()) -> MappingSpec:
        """With these rules; the schema of the answer is what the rules of `takers` read of it."""
        return MappingSpec(
            id=self.pk,
            name=self.name,
            version=self.version,
            direction=self.direction,
            entity=self.entity,
            operation=self.operation,
            sync_type=self.sync_type,
            rules=tuple(rule.spec() for rule in rules),
            filter=self.filter,
            error_filter=self.error_filter,
            model=model,
            schema=schema_of(rule.spec() for rule in takers) if self.direction == FROM_HUB else None,
            protection=tuple((path, mode) for path, mode in self.protection),
        )


class Rule(models.Model):
    """Fills one target. `source` is a path, a value or an expression, by `kind`.

    `lookup` is a list of pairs, text and value: PostgreSQL does not keep the order of an object's keys.
    """

    mapping = models.ForeignKey(Mapping, on_delete=models.CASCADE, related_name="rules")
    order = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=10, choices=KINDS, default="field")
    target = models.CharField(max_length=200)
    source = models.TextField(blank=True)
    default = models.TextField(blank=True)
    required = models.BooleanField(default=False)
    update_mode = models.CharField(max_length=10, choices=UPDATE_MODES, default="overwrite")
    value_type = models.CharField(max_length=10, choices=VALUE_TYPES, blank=True, default="")
    lookup = models.JSONField(default=list, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return f"{self.target} of {self.mapping_id}"

    def spec(self) -> RuleSpec:
        return RuleSpec(
            kind=self.kind,
            target=self.target,
            source=self.source,
            default=self.default,
            required=self.required,
            update_mode=self.update_mode,
            lookup=dict(self.lookup),
            value_type=self.value_type,
            active=self.active,
        )


class MappingVersionQuerySet(models.QuerySet["MappingVersion"]):
    def of(self, mapping_id: int) -> MappingVersionQuerySet:
        """Newest first."""
        return self.filter(mapping_id=mapping_id).order_by("-number")

    def in_order(self, ids: list[int]) -> list[MappingVersion]:
        found = self.in_bulk(ids)
        return [found[pk] for pk in ids]


class MappingVersion(Version):
    """What a mapping and its rules said: `said` is `mappings.actions.snapshot`."""

    mapping_id = models.BigIntegerField()
    mapping_name = models.CharField(max_length=120)
    said = models.JSONField(default=dict)

    objects = MappingVersionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mapping_id", "number"], name="mapping_version_once")]

    def __str__(self) -> str:
        return f"{self.mapping_name}, version {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("mappings:version", args=[self.pk])

    @property
    def tag(self) -> str:
        """The word by which the log finds its calls."""
        return f"mapping-{self.pk}"

    def rows(self) -> tuple[Mapping, list[Rule]]:
        """The mapping and its rules as they were, not to be saved; what there was no field for then has its default."""
        mapping = _filled(Mapping(pk=self.mapping_id, version=self.number), self.said)
        return mapping, [_filled(Rule(), each) for each in self.said["rules"]]

    def spec(self, model: str, takers: Iterable[MappingVersion] = ()) -> MappingSpec:
        """As `Mapping.spec`; `model` is the installation's, `takers` are the versions that take the answer."""
        mapping, rules = self.rows()
        return mapping.spec_with(rules, model, [rule for taker in takers for rule in taker.rows()[1]])


def column(kind: type[models.Model], name: str) -> models.Field[Any, Any]:
    found = kind._meta.get_field(name)
    if not isinstance(found, models.Field):
        raise TypeError(f"{name} of {kind.__name__} is no column.")
    return found


def _filled(row: Row, values: dict[str, Any]) -> Row:
    for field in row._meta.concrete_fields:
        if field.name in values:
            setattr(row, field.name, values[field.name])
    return row
