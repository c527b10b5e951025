"""Whoever is signed in, without a database: a header names the role."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

ROLES = ("viewer", "operator", "administrator")


@dataclass
class FakePerson:
    role: str | None
    username: str = "maren.okafor"
    get_full_name: str = "Maren Okafor"
    is_authenticated: bool = True

    def has_role(self, name: str) -> bool:
        return self.role is not None and ROLES.index(self.role) >= ROLES.index(name)


class SignedInByHeader:
    """Stands in for the authentication middleware. `X-Role: none` is a person without a role."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        role = request.headers.get("X-Role")
        known = FakePerson(None if role == "none" else role)
        request.user = known if role else AnonymousUser()
        return self.get_response(request)
