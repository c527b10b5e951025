"""Who may open a view: every view carries exactly one of `public`, `viewer`, `operator`, `administrator`.

The decorator enforces the policy and leaves a mark (`view.policy`); `ClosedByDefault` refuses views without a mark, so
that a forgotten decorator closes a page instead of opening it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Literal, Protocol, TypeVar, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import resolve_url
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from ui import problems
from ui.htmx import htmx_of

Policy = Literal["public", "viewer", "operator", "administrator"]
METHODS = ("GET", "HEAD", "POST", "OPTIONS")
View = TypeVar("View", bound=Callable[..., Any])


class Person(Protocol):
    """What this room asks of whoever is signed in; the user model of `accounts` offers it."""

    @property
    def is_authenticated(self) -> bool: ...

    @property
    def role(self) -> str | None: ...

    def has_role(self, name: str) -> bool:
        """Say whether this person may do what `name` may; the higher roles include the lower ones."""


def person_of(request: HttpRequest) -> Person | None:
    """Whoever is signed in, or None; None too for a request that the authentication middleware never saw."""
    user = getattr(request, "user", None)
    return cast("Person", user) if user is not None and user.is_authenticated else None


def policy_of(view: object) -> Policy | None:
    return getattr(view, "policy", None)


def public(view: View) -> View:
    return _mark(view, "public")


def viewer(view: View) -> View:
    return _guard(view, "viewer")


def operator(view: View) -> View:
    return _guard(view, "operator")


def administrator(view: View) -> View:
    return _guard(view, "administrator")


class ClosedByDefault(MiddlewareMixin):
    """Refuse a view that says nothing about who may open it, and a method that no page knows."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: object, kwargs: object
    ) -> HttpResponse | None:
        if policy_of(view) is None:
            return problems.answer(request, problems.NO_POLICY)
        return None if request.method in METHODS else HttpResponseNotAllowed(METHODS)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Django's own 405 is an empty page; a browser gets there when it signs in where only a form can be sent."""
        if response.status_code != 405:
            return response
        page = problems.answer(request, problems.WRONG_METHOD)
        page.headers["Allow"] = response.headers["Allow"]
        return page


def _guard(view: View, policy: Policy) -> View:
    """Wrap a view, plain or async, so that it runs only for people who have the role that `policy` names."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return _refusal(request, policy) or view(request, *args, **kwargs)

    @wraps(view)
    async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return await sync_to_async(_refusal)(request, policy) or await view(request, *args, **kwargs)

    return _mark(cast("View", guarded_async if iscoroutinefunction(view) else guarded), policy)


def _mark(view: View, policy: Policy) -> View:
    if policy_of(view):
        raise TypeError(f"{view.__qualname__} has two access policies: {policy_of(view)} and {policy}. Keep one.")
    view.policy = policy  # type: ignore[attr-defined]  # functions carry attributes, Callable does not say so
    return view


def _refusal(request: HttpRequest, policy: Policy) -> HttpResponse | None:
    person = person_of(request)
    if person is None:
        return _to_sign_in(request)
    return None if person.has_role(policy) else problems.answer(request, problems.role_needed(policy, person.role))


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send the browser to the sign-in page and, where that can be shown again by a GET, back to this page after it."""
    htmx = htmx_of(request)
    if htmx:
        address = resolve_url(settings.LOGIN_URL)
        back = htmx.current_url_abs_path
        return HttpResponseClientRedirect(f"{address}?{urlencode({'next': back})}" if back else address)
    return redirect_to_login(request.get_full_path() if request.method in ("GET", "HEAD") else "/")
