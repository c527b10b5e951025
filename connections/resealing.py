"""Secrets in the database as a whole: under which keys they stand, and moving them all under the first key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from django.apps import apps
from django.conf import settings
from django.db import models

from connections.sealing import CannotOpen, Sealed, SealedTextField, key_id

BATCH = 200
Column = tuple[type[models.Model], str]


@dataclass
class Tally:
    """`resealed` are under the first key now, `current` were before, `failed` could not be opened and stay."""

    resealed: int = 0
    current: int = 0
    failed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(**{name: value + getattr(other, name) for name, value in asdict(self).items()})


def sealed_columns() -> list[Column]:
    """Every column of the database that holds a secret."""
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, SealedTextField)
    ]


def keys_in_use() -> Counter[str]:
    """Key id → number of secrets that were sealed under it."""
    return Counter(
        sealed.key_id
        for model, name in sealed_columns()
        for sealed in model._default_manager.values_list(name, flat=True).iterator()
        if sealed
    )


def unknown_keys() -> Counter[str]:
    """The same, without those that this process has."""
    known = {key_id(key) for key in settings.SEALING_KEYS}
    return Counter({key: count for key, count in keys_in_use().items() if key not in known})


def reseal_all() -> Tally:
    """Seals every secret under the first key. May be stopped and started again at any point."""
    return sum((_reseal(row, name) for model, name in sealed_columns() for row in _rows(model)), Tally())


def _rows(model: type[models.Model]) -> Iterator[models.Model]:
    return model._default_manager.order_by("pk").iterator(chunk_size=BATCH)


def _reseal(row: models.Model, name: str) -> Tally:
    sealed: Sealed = getattr(row, name)
    if not sealed:
        return Tally()
    if sealed.key_id == key_id(settings.SEALING_KEYS[0]):
        return Tally(current=1)
    try:
        fresh = sealed.resealed()
    except CannotOpen:
        return Tally(failed=1)
    # A secret that was replaced meanwhile is under the first key already, and must not be put back.
    same = type(row)._default_manager.filter(pk=row.pk, **{name: sealed})
    return Tally(resealed=same.update(**{name: fresh}))
