"""The gate's state. It stands in the database, so that the limits hold across every process and machine.

Times are seconds or milliseconds since 1970 by the gate's clock (`openai_api.gate.clock`).
"""

from __future__ import annotations

from django.db import models

from logs.ids import uuid7


class Permit(models.Model):
    """One attempt in line, or on the wire with a slot. The row goes when the attempt ends.

    `state` is `waiting` (in line from `not_before` on) or `held`. Who holds or waits renews `lease_until`; a lease that ran
    out belongs to a process that died. `rank` is the order in line: a retry keeps the rank of its first attempt.
    `counted` says whether the permit itself takes a place in the window; it does until the place stands in a tally.
    `tokens` and `cost` (in billionths of a dollar) are estimates, reserved until the true figures are known.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=80)
    hold_key = models.CharField(max_length=200, blank=True)
    rank = models.BigIntegerField(default=0)
    call_id = models.UUIDField(null=True)
    attempt = models.PositiveIntegerField(default=1)
    holder = models.CharField(max_length=200)
    state = models.CharField(max_length=8, default="waiting")
    counted = models.BooleanField(default=True)
    tokens = models.BigIntegerField(default=0)
    cost = models.BigIntegerField(default=0)
    seconds = models.FloatField()
    not_before = models.FloatField()
    lease_until = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["key", "state", "rank"], name="permit_line")]

    def __str__(self) -> str:
        return f"{self.state} permit {self.pk} of {self.key}"


class Tally(models.Model):
    """What counts against a limit, and until when: places in the window, tokens of the last minute, money of a day or month.

    Whatever is over at about the same time stands in one row, so that a window of many thousand calls is a few hundred rows.
    `until` is in milliseconds, rounded up: a limit is never exceeded by the rounding. `amount` is a number of requests or
    tokens, or money in billionths of a dollar.
    """

    key = models.CharField(max_length=80)
    kind = models.CharField(max_length=20)
    until = models.BigIntegerField()
    amount = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "kind", "until"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.amount} {self.kind} of {self.key} until {self.until}"


class Hold(models.Model):
    """What keeps calls back although the limits would let them pass, until a time: OpenAI's own quota, or a broken connection.

    `key` is `<connection>/<model>` for a quota (kinds `requests` and `tokens`, `left_over` is what remains) and `<connection>` for
    a connection that fails hard (kind `circuit`, `failures` in a row, open from three on). `words` says it to people.
    """

    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=12)
    until = models.FloatField()
    left_over = models.BigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    since = models.FloatField(default=0)
    code = models.CharField(max_length=80, blank=True)
    words = models.TextField(blank=True)
    call_id = models.UUIDField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "kind"], name="hold_once")]

    def __str__(self) -> str:
        return f"{self.kind} holds {self.key}"
