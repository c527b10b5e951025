"""The list of mappings, and the settings of one."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, RestrictedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors import actor_of
from connections.models import Installation
from mappings import actions, records
from mappings.choices import FROM_HUB
from mappings.filtering import Counted, count
from mappings.forms import MappingForm, NewMappingForm, note_in
from mappings.models import Mapping
from ui.access import administrator, viewer


@viewer
@require_http_methods(["GET", "HEAD"])
def index(request: HttpRequest) -> HttpResponse:
    """All mappings, by installation."""
    # What is counted has no order of its own.
    rows = Mapping.objects.select_related("installation").annotate(rule_count=Count("rules"))
    rows = rows.order_by("installation__name", "installation", "order", "pk")
    return render(
        request,
        "mappings/list.html",
        {"mappings": rows, "any_installation": Installation.objects.exists(), "can_edit": _can_edit(request)},
    )


@administrator
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = NewMappingForm(request.POST or None, initial={"direction": "from_hub", **request.GET.dict()})
    if form.is_valid():
        mapping = actions.create_mapping(actor_of(request), form.save(commit=False))
        return redirect("mappings:rule_new", mapping.pk)
    return render(request, "mappings/edit.html", {"form": form, "mapping": None})


@administrator
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    form = MappingForm(request.POST or None, instance=_mapping(pk))
    if form.is_valid():
        if actions.change_mapping(actor_of(request), form.instance, form.values(), note_in(request.POST)):
            messages.success(request, "The settings are saved.")
        return redirect("mappings:detail", pk)
    mapping = _mapping(pk)
    sends = mapping.direction == FROM_HUB
    counted = _counted(mapping.entity, mapping.filter, mapping.error_filter) if sends else None
    context = {"form": form, "mapping": mapping, "counted": counted, "note": note_in(request.POST)}
    return render(request, "mappings/edit.html", context)


@administrator
@require_POST
def passing(request: HttpRequest) -> HttpResponse:
    """How many records pass the filters as they are typed."""
    given = {name: request.POST.get(name, "") for name in ("entity", "filter", "error_filter")}
    counted = _counted(**given) if request.POST.get("direction", FROM_HUB) == FROM_HUB else None
    return render(request, "mappings/_passing.html", {"counted": counted})


@administrator
@require_POST
def activate(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn a mapping on or off."""
    actions.change_mapping(actor_of(request), _mapping(pk), {"active": request.POST.get("active") == "1"})
    return redirect("mappings:list") if request.POST.get("next") == "list" else redirect("mappings:detail", pk)


@administrator
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    mapping = _mapping(pk)
    try:
        actions.delete_mapping(actor_of(request), mapping)
    except RestrictedError:
        messages.error(
            request, f"{mapping.name} is still used by a flow. Delete the flow first, or deactivate the mapping."
        )
        return redirect("mappings:detail", pk)
    messages.success(request, f"The mapping {mapping.name} is deleted.")
    return redirect("mappings:list")


def _counted(entity: str, filter: str, error_filter: str) -> Counted:
    return count(entity, filter, error_filter, *records.some(entity))


def _mapping(pk: int) -> Mapping:
    return get_object_or_404(Mapping.objects.select_related("installation"), pk=pk)


def _can_edit(request: HttpRequest) -> bool:
    return bool(request.user.has_role("administrator"))  # type: ignore[union-attr]  # the policy let in nobody else
