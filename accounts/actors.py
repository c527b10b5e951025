"""Who is behind a request, in the words of the audit trail."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.models import User
from logs.audit import Actor

NOBODY = "not signed in"


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person with the address the request came from; without one, an actor that says so."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    user = getattr(request, "user", None)
    return as_actor(user, address) if isinstance(user, User) else Actor(NOBODY, address=address)


def as_actor(user: User, address: str = "") -> Actor:
    return Actor(user.get_username(), user.pk, address)
