"""The inbox: what came, what came of it, and what was refused."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from connections.models import Installation
from connections.webhook_keys import masked_url
from flows.models import Record
from ui.access import operator, viewer
from ui.htmx import is_partial, stop_polling
from ui.paging import keyset_page
from webhooks.actions import replay_event
from webhooks.forms import InboxFilter
from webhooks.models import Event, Refusal

REFUSALS_SHOWN = timedelta(hours=24)


@viewer
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    form = InboxFilter(request.GET)
    page = keyset_page(form.events(), request.GET.get("cursor"), time_field="received_at")
    template = "webhooks/_rows.html" if is_partial(request) else "webhooks/list.html"
    return render(
        request,
        template,
        {
            "form": form,
            "page": page,
            "filtered": any(request.GET.get(name) for name in form.fields),
            "live": "cursor" not in request.GET,
            "last": Event.objects.order_by("-received_at").first(),
            "addresses": [(row, masked_url(row)) for row in Installation.objects.select_related("connection")],
            "refusals": Refusal.objects.since(timezone.now() - REFUSALS_SHOWN)[:20],
        },
    )


@viewer
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    fragment = is_partial(request)
    response = render(
        request,
        "webhooks/_event.html" if fragment else "webhooks/detail.html",
        {"event": event, "message": Record.objects.filter(pk=event.message_record_id or 0).first()},
    )
    return stop_polling(response) if fragment and event.state_info.final else response


@operator
@require_POST
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    replay_event(actor_of(request), event)
    messages.success(request, f"{event.event_type} is in line again.")
    return redirect("webhooks:detail", pk=pk)


@viewer
@require_safe
def first_event(request: HttpRequest, installation: int) -> HttpResponse:
    """The card that waits for an installation's first event; it asks again until one came."""
    event = Event.objects.filter(installation_id=installation).order_by("received_at", "id").first()
    refusal = Refusal.objects.filter(installation_id=installation).order_by("-minute", "-id").first()
    context = {"installation": installation, "event": event, "refusal": refusal}
    response = render(request, "webhooks/_first_event.html", context)
    return stop_polling(response) if event and is_partial(request) else response
