"""Calls of unknown outcome: all that wait for a decision, and what is known of one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from logs.models import Call
from outcomes import actions, resending
from outcomes.models import Settlement, settlements_of, unknown_calls
from ui.access import operator, viewer
from ui.paging import keyset_page

SAID = {
    "done": "marked as carried out",
    "not_done": "marked as not carried out",
    "again": "put in line to be sent again",
}


@viewer
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    settled = request.GET.get("show") == "decided"
    page = keyset_page(unknown_calls(settled), request.GET.get("cursor"))
    found = settlements_of(page.rows)
    rows = [(call, found.get(call.pk)) for call in page.rows]
    return render(request, "outcomes/list.html", {"page": page, "rows": rows, "settled": settled})


@viewer
@require_safe
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    call = get_object_or_404(Call, pk=pk, state="unknown")
    settlement = Settlement.objects.filter(call_id=pk).first() or Settlement(call_id=pk)
    context = {
        "call": call,
        "settlement": settlement,
        "why_not": resending.why_not(call),
        "sent": Call.objects.filter(cause=resending.CAUSE, cause_id=str(pk)).first(),
    }
    return render(request, "outcomes/detail.html", context)


@operator
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """The same decision about each chosen call."""
    decision, actor, count = request.POST.get("decision", ""), actor_of(request), 0
    calls = Call.objects.filter(pk__in=_ids(request.POST.getlist("call")))
    for call in calls:
        try:
            count += actions.settle(actor, call, decision)
        except actions.Refusal as refusal:
            messages.error(request, f"{call.title} {call.short_id}: {refusal}")
    if count:
        what = SAID[decision]
        messages.success(request, f"{count} call{'' if count == 1 else 's'} {'was' if count == 1 else 'were'} {what}.")
    elif not calls:
        messages.warning(request, "Choose at least one call.")
    return redirect("outcomes:list")


def _ids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts[:100]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
