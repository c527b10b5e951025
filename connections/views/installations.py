"""Pages of installations: list, detail, edit, and the webhook's set-up."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from connections import actions
from connections.actions import Installed
from connections.allowance import allowance_of, retries_in_words
from connections.drafts import resume_at
from connections.gauges import live
from connections.installation_forms import InstallationEditForm, SigningSecretForm
from connections.model_dates import model_options, note_on
from connections.models import Connection, Installation, InstallationDraft, read_stops
from connections.webhook_keys import ENTITIES, masked_url, webhook_url
from ui.access import administrator, viewer
from ui.htmx import is_partial

EVENT_TYPES = ("response.failed", "response.incomplete", "response.cancelled", "batch.completed")


@viewer
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The list; to htmx its table alone, which follows what happens."""
    rows = live(Installation.objects.select_related("connection").with_last_call())
    read_stops([row.installation.connection for row in rows])
    if is_partial(request):
        return render(request, "connections/installation/_table.html", {"installations": rows})
    mine = InstallationDraft.objects.filter(owner_id=request.user.pk, applied_at=None)
    failing = Connection.objects.in_trouble().with_stops()
    open_drafts = [(draft, resume_at(draft), f"discard-{draft.pk}") for draft in mine]
    context = {"installations": rows, "drafts": open_drafts, "failing": failing}
    return render(request, "connections/installation/list.html", context)


@viewer
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One installation; to htmx its gauge alone."""
    installation = _get(pk)
    now = live([installation])[0]
    if is_partial(request):
        return render(request, "connections/installation/_gauge.html", {"live": now})
    context = {
        "installation": installation,
        "live": now,
        "allows": allowance_of(installation.throttle),
        "retries": retries_in_words(installation.retry_policy),
        "note": note_on(installation.connection, installation.model),
        "masked_url": masked_url(installation),
    }
    return render(request, "connections/installation/detail.html", context)


@administrator
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    installation = _get(pk)
    options = model_options(installation.connection)
    form = InstallationEditForm(request.POST or None, installation=installation, options=options)
    if request.method == "POST" and form.is_valid():
        try:
            changed = actions.update_installation(actor_of(request), installation, form.fields_of_installation())
        except actions.Refusal as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            messages.success(request, f"“{changed.name}” was changed. The new values hold from the next call on.")
            return redirect("installations:detail", pk)
    context = {
        "form": form,
        "installation": installation,
        "note": note_on(installation.connection, installation.model),
        "allows": None if form.is_bound else allowance_of(installation.throttle),
    }
    return render(request, "connections/installation/edit.html", context)


@administrator
@require_safe
def ready(request: HttpRequest, pk: int) -> HttpResponse:
    """The webhook's set-up, without the key: that is shown once, by `show_key`."""
    return render(request, "connections/installation/ready.html", ready_context(_get(pk)))


@administrator
@require_POST
def new_webhook_key(request: HttpRequest, pk: int) -> HttpResponse:
    return show_key(request, actions.make_webhook_key(actor_of(request), _get(pk)))


@administrator
def signing_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes the secret. To htmx it answers with its own form, so that a webhook key beside it stays on the page."""
    installation = _get(pk)
    if request.method != "POST":
        return redirect("installations:ready", pk)
    form = SigningSecretForm(request.POST)
    if form.is_valid():
        installation = actions.set_signing_secret(actor_of(request), installation, form.cleaned_data["secret"])
    context = ready_context(installation) | ({} if form.is_valid() else {"secret_form": form})
    if is_partial(request):
        return render(request, "connections/installation/_signing_secret.html", context)
    if form.is_valid():
        messages.success(request, "The signing secret was set. Events that OpenAI did not sign with it are refused.")
        return redirect("installations:ready", pk)
    return render(request, "connections/installation/ready.html", context)


@never_cache
def show_key(request: HttpRequest, installed: Installed) -> HttpResponse:
    """The one answer that holds the webhook key. It answers a POST, so no address leads back to it, and neither the
    session nor the database ever has the key.
    """
    context = ready_context(installed.installation) | {
        "webhook_key": installed.webhook_key,
        "urls": [(entity, webhook_url(installed.webhook_key, entity)) for entity in ENTITIES],
        "warnings": installed.warnings,
    }
    return render(request, "connections/installation/ready.html", context)


def ready_context(installation: Installation) -> dict[str, Any]:
    return {
        "installation": installation,
        "masked_url": masked_url(installation),
        "event_types": EVENT_TYPES,
        "secret_form": SigningSecretForm(),
        "first_event_url": _first_event_url(installation),
    }


def _first_event_url(installation: Installation) -> str:
    """The fragment that waits for the first event belongs to `webhooks`, a room above this one."""
    try:
        return reverse("webhooks:first_event", args=[installation.pk])
    except NoReverseMatch:
        return ""


def _get(pk: int) -> Installation:
    return get_object_or_404(Installation.objects.select_related("connection"), pk=pk)
