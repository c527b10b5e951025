"""The number of records that a mapping's filters let pass, for its page and for the form in which they are typed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from connections.models import Installation
from mappings.choices import TO_HUB
from mappings.models import Mapping
from mappings.passing import count
from ui.access import administrator, viewer
from ui.htmx import is_partial
from ui.ids import id_in


@viewer
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """As the mapping is saved."""
    mapping = get_object_or_404(Mapping.objects.select_related("installation"), pk=pk)
    context = _counted(mapping.installation, mapping.direction, mapping)
    template = "mappings/_passing.html" if is_partial(request) else "mappings/passing.html"
    return render(request, template, context | {"mapping": mapping})


@administrator
@require_POST
def typed(request: HttpRequest) -> HttpResponse:
    """As it is being typed; the form of a mapping that is there names it."""
    saved = (
        Mapping.objects.select_related("installation").filter(pk=id_in(request.POST.get("mapping", "")) or 0).first()
    )
    wanted = id_in(request.POST.get("installation", "")) or 0
    installation = saved.installation if saved else Installation.objects.filter(pk=wanted).first()
    direction = saved.direction if saved else request.POST.get("direction", "")
    names = ("entity", "filter", "error_filter")
    draft = Mapping(**{name: request.POST.get(name, "") for name in names})
    return render(request, "mappings/_passing.html", _counted(installation, direction, draft))


def _counted(installation: Installation | None, direction: str, filters: Mapping) -> dict[str, Any]:
    context: dict[str, Any] = {"to_hub": direction == TO_HUB, "entity": filters.entity}
    if installation and not context["to_hub"] and filters.entity:
        context["count"] = count(installation, filters.entity, filters.filter, filters.error_filter)
    return context
