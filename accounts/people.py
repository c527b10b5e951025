"""Pages about people, for administrators: list, add, role, password, deactivate."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import actions
from accounts.actors import actor_of
from accounts.forms import GivenPasswordForm, NewPersonForm, RoleForm, posted
from accounts.models import User
from ui.access import administrator


@administrator
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/people.html", {"people": User.objects.listed()})


@administrator
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def add_person(request: HttpRequest) -> HttpResponse:
    form = NewPersonForm(posted(request))
    if form.is_valid():
        data = form.cleaned_data
        actions.create_person(actor_of(request), data["username"], data["role"], data["password1"])
        messages.success(request, f"{data['username']} can sign in now.")
        return redirect("accounts:people")
    return render(request, "accounts/person_add.html", {"form": form})


@administrator
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: three small forms, told apart by the name of the button that was pressed."""
    someone = get_object_or_404(User, pk=pk)
    pressed = request.POST if request.method == "POST" else {}
    role = RoleForm(request.POST if "change_role" in pressed else None, initial={"role": someone.role})
    given = GivenPasswordForm(someone, request.POST if "set_password" in pressed else None)
    if pressed:
        done = _act(request, someone, role, given)
        if done:
            return redirect("accounts:person", pk=pk)
    return render(request, "accounts/person.html", {"someone": someone, "role_form": role, "password_form": given})


def _act(request: HttpRequest, someone: User, role: RoleForm, given: GivenPasswordForm) -> bool:
    """Do what the pressed button says; False shows the page again with what is wrong."""
    actor, name = actor_of(request), someone.username
    try:
        if role.is_bound and role.is_valid():
            actions.change_role(actor, someone, role.cleaned_data["role"])
            return _said(request, f"{name} is {role.cleaned_data['role']} now.")
        if given.is_bound and given.is_valid():
            actions.set_password(actor, someone, given.cleaned_data["new_password1"])
            return _said(request, f"{name} has a new password. Sessions under the old one have ended.")
        if {"deactivate", "reactivate"} & request.POST.keys():
            active = "reactivate" in request.POST
            actions.set_active(actor, someone, active)
            return _said(request, f"{name} can sign in again." if active else f"{name} can no longer sign in.")
    except actions.LastAdministrator as refusal:
        messages.error(request, str(refusal))
        return True
    return False


def _said(request: HttpRequest, sentence: str) -> bool:
    messages.success(request, sentence)
    return True
