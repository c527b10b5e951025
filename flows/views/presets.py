"""Running a preset with a record: choose the record, see the request that it makes, send it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from flows.items import view_of
from flows.models import Entity, Record
from flows.presets import fill
from flows.views.show import show
from openai_api.passing import NotPassedOn
from operations import costly, outgoing, permits
from operations.asking import Asked
from operations.models import Preset, PresetVersion
from operations.running import respond
from operations.views.presets import needs_form, refused
from ui.access import operator, person_of, viewer
from ui.ids import id_in

MOST_SHOWN = 20


@viewer
@require_safe
def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """The records of an entity, and with `?record=` the request that one makes."""
    preset = _preset(pk)
    return _page(request, preset, preset.current(), _record(request.GET.get("record", "")))


@operator
@require_POST
def run(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Sends what the page showed: if the preset has a newer version by now, that is shown first."""
    preset = _preset(pk)
    version, record = preset.current(), _record(request.POST.get("record", ""))
    if record is None:
        return _page(request, preset, version, None, "No record is chosen. Choose one of the list.")
    if request.POST.get("version") != str(version.pk):
        told = (
            f"The preset has a version {version.number} now, by {version.actor}. This is its request: look, then send."
        )
        return _page(request, preset, version, record, told)
    asked, problems = fill(version.request, view_of(record), preset.installation.model)
    refusal = refused(request, asked)
    if refusal is not None:
        return refusal
    reason = permits.obstacle(preset.installation, asked, request.POST.get("sure", ""))
    if reason or problems or needs_form(version):
        return _page(request, preset, version, record, reason)
    try:
        return respond(request, preset.installation, asked)
    except NotPassedOn as problem:
        return _page(request, preset, version, record, str(problem))


def _page(
    request: HttpRequest, preset: Preset, version: PresetVersion, record: Record | None, told: str = ""
) -> HttpResponse:
    """`told` says why nothing was sent."""
    entities = list(Entity.objects.all())
    wanted = record.entity.name if record else request.GET.get("entity", "")
    entity = next((each for each in entities if each.name == wanted), entities[0] if entities else None)
    text = request.GET.get("q", "").replace("\0", "").strip()[:120]
    context: dict[str, Any] = {
        "preset": preset,
        "version": version,
        "entities": entities,
        "entity": entity,
        "q": text,
        "records": Record.objects.filter(entity=entity).search(text).order_by("-changed_at", "-pk")[:MOST_SHOWN],
        "most": MOST_SHOWN,
        "record": record,
        "told": told,
    }
    if record is not None:
        context |= _filled(request, preset, version.request, record)
    return show(request, "flows/preset_record.html", context)


def _filled(request: HttpRequest, preset: Preset, given: Asked, record: Record) -> dict[str, Any]:
    asked, problems = fill(given, view_of(record), preset.installation.model)
    role, person = permits.role_for(asked), person_of(request)
    return {
        "asked": asked,
        "problems": problems,
        "refusal": "" if problems else _refusal(asked),
        "consequence": costly.consequence(asked.method, asked.path),
        "sure": costly.sure(asked.method, asked.path),
        "role": role,
        "may_send": person is not None and person.has_role(role),
    }


def _refusal(asked: Asked) -> str:
    """What a record put into the request that can't be sent, such as a line break into a header."""
    try:
        outgoing.check(asked)
    except NotPassedOn as problem:
        return str(problem)
    return ""


def _preset(pk: int) -> Preset:
    return get_object_or_404(Preset.objects.select_related("installation__connection"), pk=pk)


def _record(text: str) -> Record | None:
    return Record.objects.select_related("entity").filter(pk=id_in(text)).first()
