"""Pages of the proxy: tokens, what knocked without one, and how a program reaches an installation.

They do not stand under /proxy/, where machines are answered (see `config.entry`).
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from connections.models import Installation
from proxy import actions
from proxy.actions import Made
from proxy.addresses import examples, places
from proxy.forms import TokenForm
from proxy.models import Knock, Token
from ui.access import administrator, viewer
from ui.ids import id_in

KNOCKS_SHOWN = timedelta(days=14)


@viewer
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    context = {
        "tokens": Token.objects.prefetch_related("installations"),
        "places": places(Installation.objects.all()),
        "knocks": Knock.objects.filter(day__gte=timezone.now().date() - KNOCKS_SHOWN),
    }
    return render(request, "proxy/list.html", context)


@viewer
@require_safe
def installation(request: HttpRequest, pk: int) -> HttpResponse:
    here = get_object_or_404(Installation, pk=pk)
    context = {
        "installation": here,
        "places": places([here]),
        "examples": examples(here),
        "tokens": here.tokens.prefetch_related("installations"),
    }
    return render(request, "proxy/installation.html", context)


@administrator
def new(request: HttpRequest) -> HttpResponse:
    chosen = Installation.objects.filter(pk=id_in(request.GET.get("installation", "")))
    form = TokenForm(request.POST or None, initial={"installations": list(chosen)})
    if request.method == "POST" and form.is_valid():
        return _show(request, actions.create_token(actor_of(request), **form.cleaned_data))
    return render(request, "proxy/new.html", {"form": form, "any_installation": Installation.objects.exists()})


@viewer
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(Token, pk=pk)
    return render(request, "proxy/detail.html", {"token": token, "places": places(token.installations.all())})


@administrator
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    token = actions.revoke_token(actor_of(request), get_object_or_404(Token, pk=pk))
    messages.success(request, f"“{token.name}” was revoked. Programs that send it are refused from now on.")
    return redirect("proxy:detail", pk)


@never_cache
def _show(request: HttpRequest, made: Made) -> HttpResponse:
    """The one answer that holds the token. It answers a POST, so no address leads back to it."""
    scope = list(made.token.installations.all())
    context = {"token": made.token, "secret": made.secret, "places": places(scope), "examples": examples(scope[0])}
    return render(request, "proxy/made.html", context)
