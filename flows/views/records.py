"""Pages of the hub's records."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_safe

from accounts.actors import actor_of
from connections.models import Installation
from flows.actions import save_record
from flows.forms import RecordForm
from flows.models import Entity, Record, RecordChange, Run
from flows.views.show import show
from ui.access import operator, viewer
from ui.paging import keyset_page

HISTORY = 50


@viewer
@require_safe
def record_list(request: HttpRequest) -> HttpResponse:
    entities = list(Entity.objects.all())
    wanted = request.GET.get("entity", "")
    entity = next((known for known in entities if known.name == wanted), entities[0] if entities else None)
    text = request.GET.get("q", "").strip()
    records = Record.objects.filter(entity=entity).search(text)
    context = {
        "entities": entities,
        "entity": entity,
        "q": text,
        "page": keyset_page(records, request.GET.get("cursor"), time_field="changed_at"),
        "installations": Installation.objects.all(),
        "modes": Run.MODES,
    }
    return show(request, "flows/records.html", context)


@viewer
@require_safe
def record_detail(request: HttpRequest, pk: int) -> HttpResponse:
    record = get_object_or_404(Record.objects.select_related("entity"), pk=pk)
    items = list(record.items.select_related("run").order_by("-pk")[:10])
    context = {
        "record": record,
        "fields": _labelled(record.entity.fields, record.fields),
        "custom": _labelled(record.entity.custom_fields, record.custom),
        "history": RecordChange.objects.filter(record_id=pk).order_by("-at", "-pk")[:HISTORY],
        "items": items,
        "trouble": items[0] if items and items[0].state in ("failed", "unknown") else None,
        "installations": Installation.objects.all(),
    }
    return show(request, "flows/record.html", context)


@operator
def record_new(request: HttpRequest) -> HttpResponse:
    entity = get_object_or_404(Entity, name=request.GET.get("entity", "Product"))
    return _edit(request, entity, None)


@operator
def record_edit(request: HttpRequest, pk: int) -> HttpResponse:
    record = get_object_or_404(Record.objects.select_related("entity"), pk=pk)
    return _edit(request, record.entity, record)


def _edit(request: HttpRequest, entity: Entity, record: Record | None) -> HttpResponse:
    form = RecordForm(entity, record, request.POST or None)
    if request.method == "POST" and form.is_valid():
        key = record.key if record else form.cleaned_data["key"]
        saved, changed = save_record(actor_of(request), entity, key, form.values())
        messages.success(request, f"{saved} is saved." if changed else f"{saved} was like this already.")
        return redirect(saved)
    return show(request, "flows/record_form.html", {"form": form, "entity": entity, "record": record})


def _labelled(specs: list[dict[str, Any]], values: dict[str, Any]) -> list[tuple[str, Any]]:
    """(label, value): the entity's own fields first, in its order, then whatever else the record has."""
    labels = {spec["name"]: spec["label"] for spec in specs}
    names = [*labels, *(name for name in values if name not in labels)]
    return [(labels.get(name, name), values.get(name, "")) for name in names]
