"""The verification page of an installation, and the list of all installations with their last result."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from connections.models import Installation
from ui.access import operator, viewer
from ui.htmx import is_partial, stop_polling
from verification.actions import start_verification
from verification.checks import CHECKS
from verification.models import CheckResult, Verification

HISTORY = 10
STATES_COUNTED = ("passed", "failed", "skipped", "running", "waiting")


@viewer
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    newest = Prefetch("verifications", Verification.objects.order_by("-created_at", "-id"), to_attr="history")
    return render(request, "verification/list.html", {"installations": Installation.objects.prefetch_related(newest)})


@viewer
@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    installation = get_object_or_404(Installation, pk=pk)
    fragment = is_partial(request)
    context = _context(installation)
    response = render(request, "verification/_results.html" if fragment else "verification/page.html", context)
    return stop_polling(response) if fragment and not context["running"] else response


@operator
@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Run all checks, or the one that the button names."""
    installation = get_object_or_404(Installation, pk=pk)
    slugs = [slug for slug in request.POST.getlist("check") if slug in CHECKS]
    start_verification(actor_of(request), installation, slugs)
    return redirect("verification:page", pk=pk)


def _context(installation: Installation) -> dict[str, Any]:
    """The newest result of each check, whichever verification it stands in, and the last verifications."""
    history = list(installation.verifications.prefetch_related("results")[:HISTORY])
    newest: dict[str, CheckResult] = {}
    for verification in history:
        for result in verification.results.all():
            newest.setdefault(result.slug, result)
    results = [newest[slug] for slug in CHECKS if slug in newest]
    counts = {state: sum(1 for result in results if result.state == state) for state in STATES_COUNTED}
    return {
        "installation": installation,
        "last": history[0] if history else None,
        "running": bool(history) and not history[0].state_info.final,
        "history": history,
        "results": results,
        "counts": counts,
        "total": len(CHECKS),
    }
