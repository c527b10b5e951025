"""What every kind of version has in common. The tables themselves belong to the rooms whose things they keep."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone


class Version(models.Model):
    """What a thing said when it was saved, and who saved it. Never deleted, and but for its note never changed: results
    name it.

    Ids and names as they were, no foreign keys, as in the log. `number` counts from 1 for each thing.
    """

    installation_id = models.BigIntegerField()
    installation_name = models.CharField(max_length=200)
    number = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=150)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        abstract = True

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise RuntimeError("Versions stay: results name them.")
