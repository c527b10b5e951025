"""Which mapping comes first, and whether a rule is used."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from accounts.actors import actor_of
from connections.models import Installation
from mappings import actions
from mappings.models import Mapping
from ui.access import administrator
from ui.ids import id_in


@administrator
@require_POST
def mappings(request: HttpRequest, pk: int) -> HttpResponse:
    """Those of an installation; `order` is there once for each, with its id."""
    wanted = [id_in(each) for each in request.POST.getlist("order")]
    actions.order_mappings(actor_of(request), get_object_or_404(Installation, pk=pk), wanted)
    return redirect("mappings:list")


@administrator
@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """One step up or down among the mappings of the installation."""
    mapping = get_object_or_404(Mapping.objects.select_related("installation"), pk=pk)
    actions.move_mapping(actor_of(request), mapping, -1 if request.POST.get("step") == "up" else 1)
    return redirect("mappings:list")


@administrator
@require_POST
def switch_rule(request: HttpRequest, pk: int, rule_pk: int) -> HttpResponse:
    """Turn a rule on or off."""
    mapping = get_object_or_404(Mapping, pk=pk)
    rule = get_object_or_404(mapping.rules, pk=rule_pk)
    actions.save_rule(actor_of(request), rule, {"active": request.POST.get("active") == "1"})
    return redirect(mapping)
