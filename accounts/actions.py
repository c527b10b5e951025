"""Changes of people: the rule, the change and the audit line in one place, for pages and commands alike."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from accounts.actors import as_actor
from accounts.models import User
from accounts.setup import forget_unused_tokens, needs_setup, use_token
from logs import audit
from logs.audit import Actor

KIND = "person"


class LastAdministrator(Exception):
    """The change would leave nobody who can configure Patchbay."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is the last administrator. Without one, nobody could configure Patchbay. "
            "Make someone else administrator first."
        )


def create_person(actor: Actor, username: str, role: str, password: str) -> User:
    """A new person who may sign in at once. The password is checked by the caller's form or command."""
    with transaction.atomic():
        person: User = User.objects.create_user(username, password=password)
        person.take_role(role)
        if role == "administrator":
            forget_unused_tokens()
        audit.write(actor, "created", KIND, person.pk, username, {"role": [None, role]})
    return person


def create_first_administrator(token: str, username: str, password: str, address: str) -> User | None:
    """What the first-run page does, or None: the token is used up or too old, or an administrator exists by now."""
    with transaction.atomic():
        if not use_token(token) or not needs_setup():
            return None
        return create_person(Actor("first-run page", address=address), username, "administrator", password)


def change_role(actor: Actor, person: User, role: str) -> None:
    """Raises `LastAdministrator`."""
    with transaction.atomic():
        before = person.role
        if before == role:
            return
        if role != "administrator":
            _keep_an_administrator(person)
        person.take_role(role)
        _log(actor, "changed role", person, {"role": [before, role]})


def set_active(actor: Actor, person: User, active: bool) -> None:
    """Let someone sign in, or no longer; deactivating ends the person's sessions. Raises `LastAdministrator`."""
    with transaction.atomic():
        if person.is_active == active:
            return
        if not active:
            _keep_an_administrator(person)
        person.is_active = active
        person.save(update_fields=["is_active"])
        _log(actor, "reactivated" if active else "deactivated", person)


def set_password(actor: Actor, person: User, password: str) -> None:
    """A new password, by the person or by an administrator; it ends the person's other sessions."""
    with transaction.atomic():
        person.set_password(password)
        person.save(update_fields=["password"])
        _log(actor, "changed password", person, {"password": [audit.MASK, audit.MASK]})


def record_sign_in(person: User, address: str) -> None:
    _log(as_actor(person, address), "signed in", person)


def record_sign_out(person: User, address: str) -> None:
    _log(as_actor(person, address), "signed out", person)


def record_pause(name: str, address: str) -> None:
    """Too many wrong passwords. A name that nobody has is not written down: it may be a password."""
    person = User.objects.filter(username=name).first()
    audit.write(
        Actor("not signed in", address=address),
        "sign-in paused",
        KIND,
        person.pk if person else "",
        person.username if person else "an unknown name",
    )


def _keep_an_administrator(person: User) -> None:
    """The group's row is locked meanwhile, so that the last two cannot demote each other at the same moment."""
    Group.objects.select_for_update().get(name="administrator")
    if not User.objects.administrators().exclude(pk=person.pk).exists():
        raise LastAdministrator(person.username)


def _log(actor: Actor, action: str, person: User, changes: dict[str, Any] | None = None) -> None:
    audit.write(actor, action, KIND, person.pk, person.username, changes)
