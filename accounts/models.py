"""The user, the one-time token of the first-run page, and the count of wrong passwords."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from django.contrib.auth.models import AbstractUser, Group, UserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.states import ACCOUNT_STATES
from ui.states import State

# Each role may do what the ones before it may. They are Django groups, made by a migration.
ROLES = ("viewer", "operator", "administrator")
ROLE_TEXTS = {
    "viewer": "Reads every page and changes nothing.",
    "operator": "Also runs pushes, pulls and tests.",
    "administrator": "Also configures connections, installations, mappings and people.",
}


class People(models.QuerySet["User"]):
    def administrators(self) -> People:
        """Those who can sign in and configure; there is always one, once the first-run page was used."""
        return self.filter(is_active=True, groups__name="administrator")

    def listed(self) -> People:
        return self.order_by("-is_active", Lower("username")).prefetch_related("groups")


class Everyone(UserManager.from_queryset(People)):  # type: ignore[misc]  # the base class is made at run time
    use_in_migrations = False


class User(AbstractUser):
    """A person. The role is the highest of the groups that the user belongs to; without one, nothing is allowed."""

    objects: ClassVar[Everyone] = Everyone()

    @cached_property
    def role(self) -> str | None:
        mine = {group.name for group in self.groups.all()}
        return next((role for role in reversed(ROLES) if role in mine), None)

    def take_role(self, role: str) -> None:
        """The one role from now on."""
        self.groups.set([Group.objects.get(name=role)])
        self.__dict__.pop("role", None)

    @property
    def state_info(self) -> State:
        return ACCOUNT_STATES["active" if self.is_active else "inactive"]

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


class SignInTries(models.Model):
    """Wrong passwords in a row for one name from one address (see `accounts.lockout`).

    `key` is a keyed digest of both: people type their password into the wrong field, and it must not be kept.
    """

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} tries until {self.last_at:%Y-%m-%d %H:%M}"
