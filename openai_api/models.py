"""The gate's state. It stands in the database, so that the limits hold across every process and machine."""

from __future__ import annotations

from django.db import models


class Permit(models.Model):
    """One place in the window and one open slot, or a place in line for them. Times are Unix seconds of the gate's clock.

    `state` is `waiting` (in line from `not_before` on), `held` (on the wire) or `ended` (slot given back; the place in
    the window counts until `counts_until`). Who holds or waits renews `lease_until`; a lease that ran out belongs to a
    process that died. `rank` is the order in line: a retry keeps the rank of its first attempt.
    """

    key = models.CharField(max_length=80)
    rank = models.BigIntegerField(default=0)
    call_id = models.UUIDField(null=True)
    attempt = models.PositiveIntegerField(default=1)
    holder = models.CharField(max_length=200)
    state = models.CharField(max_length=8, default="waiting")
    seconds = models.FloatField()
    not_before = models.FloatField()
    lease_until = models.FloatField()
    counts_until = models.FloatField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["key", "state", "rank"], name="permit_line"),
            models.Index(fields=["holder", "state"], name="permit_holder"),
        ]

    def __str__(self) -> str:
        return f"{self.state} permit {self.pk} of {self.key}"
