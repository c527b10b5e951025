"""Lists that are read to their end: how far one is, stopping it, going on, and saving what came."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from expressions.bounded import MAX_SECONDS
from openai_api.catalogue import OPERATIONS
from operations import choosing
from operations.lists import actions, items, paging
from operations.lists.shown import context_of
from operations.models import KEPT_FOR, Listing
from ui import problems
from ui.access import operator, person_of, viewer
from ui.htmx import is_partial, stop_polling


@operator
@require_safe
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One list; to htmx the card alone, which asks again until it is there."""
    listing = _get(pk)
    context = context_of(listing)
    if not is_partial(request):
        return render(request, "operations/list.html", context)
    response = render(request, "operations/_list.html", context)
    return stop_polling(response) if listing.state_info.final else response


@operator
@require_safe
def save(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """All items as JSON Lines, or with `?as=json` as one answer in the shape of OpenAI's lists."""
    listing = _get(pk)
    if not items.are_here(listing.pk, listing.pages):
        raise Http404("The items of this list are not here any more.")
    whole = request.GET.get("as") == "json"
    pieces = (
        items.as_json(listing.pk, listing.pages, listing.more) if whole else items.as_lines(listing.pk, listing.pages)
    )
    response = StreamingHttpResponse(items.unhurried(pieces), content_type="application/octet-stream")
    name = f"{listing.request.operation}.{'json' if whole else 'jsonl'}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@operator
@require_POST
def stop(request: HttpRequest, pk: UUID) -> HttpResponse:
    listing = _get(pk)
    actions.stop(actor_of(request), listing)
    return redirect(listing)


@operator
@require_POST
def go_on(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks OpenAI again, so it takes the role that starting the list took."""
    listing = _get(pk)
    operation = OPERATIONS.get(listing.request.operation)
    if operation is None:
        raise Http404("OpenAI's API no longer has this list.")
    role, person = choosing.role_for(operation), person_of(request)
    if person is None or not person.has_role(role):
        return problems.answer(request, problems.role_needed(role, person.role if person else None))
    actions.go_on(listing)
    return redirect(listing)


@viewer
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    context = {
        "most_items": paging.MOST_ITEMS,
        "most_pages": paging.MOST_PAGES,
        "kept_hours": KEPT_FOR.total_seconds() / 3600,
        "seconds": MAX_SECONDS,
    }
    return render(request, "operations/lists_help.html", context)


def _get(pk: UUID) -> Listing:
    return get_object_or_404(Listing.objects.select_related("installation__connection"), pk=pk)
