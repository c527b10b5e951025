"""The user and the one-time token of the first-run page."""

from __future__ import annotations

from functools import cached_property

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

# Each role may do what the ones before it may. They are Django groups, made by a migration.
ROLES = ("viewer", "operator", "administrator")


class User(AbstractUser):
    """A person. The role is the highest of the groups that the user belongs to; without one, nothing is allowed."""

    @cached_property
    def role(self) -> str | None:
        mine = set(self.groups.values_list("name", flat=True))
        return next((role for role in reversed(ROLES) if role in mine), None)

    def has_role(self, name: str) -> bool:
        """True when the user's role is `name` or a higher one."""
        return self.is_active and self.role is not None and ROLES.index(self.role) >= ROLES.index(name)


class SetupToken(models.Model):
    """Opens the first-run page once. Only the SHA-256 of the token is kept."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"set-up token of {self.created_at:%Y-%m-%d %H:%M}"
