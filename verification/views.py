"""The verification page of an installation, one verification as a report, and the list of all installations."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from connections.gauges import live
from connections.models import Installation
from ui.access import operator, viewer
from ui.htmx import is_partial, stop_polling
from verification.actions import UnderWay, start_verification
from verification.checks import CHECKS
from verification.models import CheckResult, Verification
from verification.summary import groups_of, summary_of

HISTORY = 10


@viewer
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    newest = Verification.objects.order_by("-created_at", "-id").prefetch_related("results")
    verified = Prefetch("verifications", newest, to_attr="history")
    rows = Installation.objects.select_related("connection").prefetch_related(verified)
    return render(request, "verification/list.html", {"installations": live(rows)})


@viewer
@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    installation = get_object_or_404(Installation, pk=pk)
    fragment = is_partial(request)
    context = _context(installation)
    response = render(request, "verification/_results.html" if fragment else "verification/page.html", context)
    return stop_polling(response) if fragment and not context["running"] else response


@viewer
@require_safe
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """One verification as it ended, to be read later or printed."""
    verification = get_object_or_404(Verification.objects.select_related("installation"), pk=pk)
    results = list(verification.results.all())
    context = {
        "installation": verification.installation,
        "verification": verification,
        "groups": groups_of(results),
        "summary": summary_of(verification, results),
    }
    return render(request, "verification/report.html", context)


@operator
@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Run all checks, or the one that the button names."""
    installation = get_object_or_404(Installation, pk=pk)
    slugs = [slug for slug in request.POST.getlist("check") if slug in CHECKS]
    try:
        start_verification(actor_of(request), installation, slugs)
    except UnderWay as reason:
        messages.info(request, str(reason))
    return redirect("verification:page", pk=pk)


def _context(installation: Installation) -> dict[str, Any]:
    """The newest result of each check, whichever verification it stands in, and the last verifications."""
    history = list(installation.verifications.prefetch_related("results")[:HISTORY])
    last = history[0] if history else None
    results = list(CheckResult.objects.newest(installation)) if last else []
    return {
        "installation": installation,
        "last": last,
        "running": last is not None and not last.state_info.final,
        "history": history,
        "groups": groups_of(results, last),
        "summary": summary_of(last, results) if last else None,
    }
