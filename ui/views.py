"""Theme switch, help pages, and the pages that say no (named as handlers in config/urls.py and settings)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from ui import problems
from ui.access import public, viewer
from ui.help import ENTRIES
from ui.theme import THEMES, remember_theme, theme_of


@viewer
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first page is the list of installations: what runs, in which state."""
    return redirect("installations:list")


@public
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Switch to the theme posted as `theme`, or to the other one, and go back to the page at `next`."""
    wanted = request.POST.get("theme", "")
    chosen = wanted if wanted in THEMES else "light" if theme_of(request) == "dark" else "dark"
    response = HttpResponseRedirect(_own_address(request, request.POST.get("next", "")))
    remember_theme(response, chosen, secure=request.is_secure())
    return response


def _own_address(request: HttpRequest, address: str) -> str:
    ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if ours else "/"


@viewer
@require_safe
def help_index(request: HttpRequest) -> HttpResponse:
    return render(request, "ui/help_index.html", {"entries": list(ENTRIES.values())})


@viewer
@require_safe
def help_entry(request: HttpRequest, code: str) -> HttpResponse:
    entry = ENTRIES.get(code.upper())
    if entry is None:
        raise Http404
    return render(request, "ui/help_entry.html", {"entry": entry})


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problems.answer(request, problems.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problems.answer(request, problems.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problems.answer(request, problems.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    return problems.answer(request, problems.SERVER_ERROR)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return problems.answer(request, problems.STALE_FORM)
