"""Named people: Vera may read, Omar may run, Ada may configure, Nobody has no role."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.test import Client as Browser

from accounts.models import User

PASSWORD = "a long enough pass phrase"


def _person(name: str, role: str | None) -> User:
    user = User.objects.create_user(username=name, password=PASSWORD)
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def viewer_vera() -> User:
    return _person("vera", "viewer")


def operator_omar() -> User:
    return _person("omar", "operator")


def administrator_ada() -> User:
    return _person("ada", "administrator")


def roleless_rolf() -> User:
    return _person("rolf", None)


def signed_in(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser
