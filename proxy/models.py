"""Who may use the proxy, and what knocked without being let in."""

from __future__ import annotations

import hashlib
import secrets

from django.db import models
from django.utils import timezone

from connections.models import Installation
from proxy.states import TOKEN_STATES
from ui.states import State

# A token begins with this, so that people, scanners and the log's redaction know one when they see it.
PREFIX = "pbt_"


class Token(models.Model):
    """What a program shows to use the proxy. It is shown once; only its SHA-256 is kept, and it is found by that.

    `last_used_at` is written at most once a minute.
    """

    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, unique=True)
    last4 = models.CharField(max_length=4)
    installations = models.ManyToManyField(Installation, related_name="tokens")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=150, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def masked(self) -> str:
        """How a page names it beside its name, without telling it."""
        return f"{PREFIX}••••{self.last4}"

    @property
    def state_info(self) -> State:
        return TOKEN_STATES["revoked" if self.revoked_at else "valid"]


class Knock(models.Model):
    """Requests without a valid token: one row for each day and reason, and beside the count one example of them.

    They make no rows in the log: whoever scans addresses must not be able to fill it.
    """

    day = models.DateField()
    reason = models.CharField(max_length=40)
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()
    address = models.CharField(max_length=60, blank=True)
    path = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-day", "reason"]
        constraints = [models.UniqueConstraint(fields=["day", "reason"], name="knock_once")]

    def __str__(self) -> str:
        return f"{self.count} × {self.reason} on {self.day}"


def new_token() -> str:
    """256 bits, as text that needs no escaping."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a token. It is random and long, so that a plain hash can't be turned back."""
    return hashlib.sha256(token.encode()).hexdigest()
