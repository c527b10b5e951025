"""The raw request: its form, sending it, and its help."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from connections.models import Installation
from openai_api.retries import LONGEST_WAIT
from operations import running
from operations.asking import Asked
from operations.models import KEPT_FOR, Answer, Listing
from operations.raw_form import DEFAULT_TIMEOUT, RawForm
from operations.saving import Saving
from operations.views.presets import to_saved
from ui.access import operator, person_of, viewer


@viewer
@require_safe
def form(request: HttpRequest, installation: int) -> HttpResponse:
    """The form, empty or filled as `?again=<answer>` was. Who may only look sees it and can't send it."""
    here = _get(installation)
    saving = Saving.of(request, here, _has(request, "operator"))
    earlier = saving.version.request if saving.version else again(request, here)
    return _page(request, here, RawForm(base_url=here.connection.base_url, again=earlier), saving)


@operator
@require_POST
def send(request: HttpRequest, installation: int) -> HttpResponseBase:
    here = _get(installation)
    filled = RawForm(
        request.POST, request.FILES, base_url=here.connection.base_url, may_do_costly=_has(request, "administrator")
    )
    saving = Saving.of(request, here, may=True)
    if not filled.is_valid() or filled.asked is None:
        return _page(request, here, filled, saving)
    return running.respond(request, here, saving.marked(filled.asked), debug=filled.request.cleaned_data["debug"])


@operator
@require_POST
def save(request: HttpRequest, installation: int) -> HttpResponse:
    """Keeps the request as a preset. It must be right but for its files, which are chosen when it is sent."""
    here = _get(installation)
    filled = RawForm(request.POST, request.FILES, base_url=here.connection.base_url, kept=True)
    saving = Saving.of(request, here, may=True)
    saved = saving.save(request, filled.asked) if filled.is_valid() and filled.asked is not None else None
    return _page(request, here, filled, saving) if saved is None else to_saved(request, *saved)


@viewer
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    context = {"timeout": DEFAULT_TIMEOUT, "longest_wait": LONGEST_WAIT, "kept_hours": KEPT_FOR.total_seconds() / 3600}
    return render(request, "operations/raw_help.html", context)


def _page(request: HttpRequest, installation: Installation, filled: RawForm, saving: Saving) -> HttpResponse:
    context = {
        "installation": installation,
        "raw": filled,
        "several": Installation.objects.count() > 1,
        "may_send": _has(request, "operator"),
        "saving": saving,
        "save_url": reverse("operations:save_raw", args=[installation.pk]),
    }
    return render(request, "operations/raw.html", context)


def again(request: HttpRequest, installation: Installation) -> Asked | None:
    """What an earlier answer or list was asked by, for people who may see them."""
    try:
        wanted = UUID(request.GET.get("again", ""))
    except ValueError:
        return None
    of_id = {"pk": wanted, "installation": installation}
    found = Answer.objects.filter(**of_id).first() or Listing.objects.filter(**of_id).first()
    return found.request if found is not None and _has(request, "operator") else None


def _has(request: HttpRequest, role: str) -> bool:
    person = person_of(request)
    return person is not None and person.has_role(role)


def _get(pk: int) -> Installation:
    return get_object_or_404(Installation.objects.select_related("connection"), pk=pk)
