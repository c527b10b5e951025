"""Pages for getting in: first administrator, sign-in, sign-out, own password. Pages about people: `accounts.people`."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions
from accounts.actors import actor_of
from accounts.forms import OwnPasswordForm, PersonForm, SignInForm, posted
from accounts.models import User
from accounts.setup import is_open, needs_setup
from ui.access import public, viewer

BACKEND = "django.contrib.auth.backends.ModelBackend"


@public
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """The first-run page. It is gone (404) as soon as an administrator exists."""
    if not needs_setup():
        raise Http404
    if not is_open(token):
        return render(request, "accounts/setup_closed.html", status=403)
    form = PersonForm(posted(request))
    if form.is_valid():
        name, password = form.cleaned_data["username"], form.cleaned_data["password1"]
        person = actions.create_first_administrator(token, name, password, actor_of(request).address)
        if person is None:
            return render(request, "accounts/setup_closed.html", status=403)
        _enter(request, person)
        return redirect("/")
    return render(request, "accounts/setup.html", {"form": form})


@public
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    after = _address_after(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(after)
    form = SignInForm(request, posted(request))
    if form.is_valid():
        _enter(request, form.get_user(), remember=form.cleaned_data["remember"])
        return HttpResponseRedirect(after)
    return render(request, "accounts/sign_in.html", {"form": form, "next": after, "needs_setup": needs_setup()})


@public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, User):
        actions.record_sign_out(request.user, actor_of(request).address)
    logout(request)
    return redirect("accounts:sign_in")


@viewer
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """One's own password. Other browsers are signed out by the change, this one is not."""
    person = User.objects.get(pk=request.user.pk)
    form = OwnPasswordForm(person, posted(request))
    if form.is_valid():
        actions.set_password(actor_of(request), person, form.cleaned_data["new_password1"])
        update_session_auth_hash(request, person)
        messages.success(request, "Your password is changed. Other browsers are signed out.")
        return redirect("accounts:password")
    return render(request, "accounts/password.html", {"form": form})


def _enter(request: HttpRequest, person: User, *, remember: bool = True) -> None:
    """Sign in: the session gets a new key, so that one that was planted before is worth nothing."""
    login(request, person, backend=BACKEND)
    if not remember:
        request.session.set_expiry(0)
    actions.record_sign_in(person, actor_of(request).address)


def _address_after(request: HttpRequest) -> str:
    """Where `next` points to, if that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours and wanted.startswith("/") else "/"
