"""Presets: their list, one with its versions, what differs between two, running one again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, RestrictedError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from connections.models import Installation
from logs.models import Call
from openai_api.passing import NotPassedOn
from operations import actions, costly, permits, places, running
from operations.asking import Asked
from operations.differences import fields_of
from operations.models import Preset, PresetVersion
from operations.saving import NameForm
from ui import problems
from ui.access import administrator, operator, person_of, viewer
from ui.ids import id_in
from versions.comparing import compare
from versions.differences import Field

LAST_CALLS = 10


@viewer
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All presets by installation, or those of one."""
    here = Installation.objects.filter(pk=id_in(request.GET.get("installation", "")) or 0).first()
    presets = Preset.objects.filter(installation=here) if here else Preset.objects.all()
    return render(request, "operations/presets.html", {"presets": presets.with_last_call(), "installation": here})


@viewer
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _preset(pk))


@operator
@require_POST
def run(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Sends the newest version once more. What needs a file or a record is led to where it is chosen."""
    preset = _preset(pk)
    version = preset.current()
    if leads_elsewhere(version):
        return redirect(version.form_url if needs_form(version) else record_url(version))
    refusal = refused(request, version.request)
    return refusal or sent(request, preset, version.request)


@operator
@require_POST
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    preset = _preset(pk)
    form = NameForm({"preset-name": request.POST.get("preset-name", "")}, prefix="preset")
    if form.is_valid():
        name = form.cleaned_data["name"]
        try:
            if actions.rename_preset(actor_of(request), preset, name):
                messages.success(request, f"The preset is called {name} now. Its versions keep the name they had.")
            return redirect(preset)
        except actions.NameTaken as taken:
            form.add_error("name", str(taken))
    return _page(request, preset, form)


@administrator
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    preset = _preset(pk)
    try:
        actions.delete_preset(actor_of(request), preset)
    except RestrictedError as used:
        names = ", ".join(sorted(map(str, used.restricted_objects)))
        messages.error(request, f"{preset} is used by {names}. Remove that under Flows first, then delete the preset.")
        return redirect(preset)
    messages.success(request, f"{preset} is deleted. Its versions stay where calls name them.")
    return redirect("operations:presets")


@viewer
@require_safe
def version(request: HttpRequest, pk: int) -> HttpResponse:
    """One version, and what differs from another: `?with=<number>`, by default the one before it."""
    here = get_object_or_404(PresetVersion, pk=pk)
    preset = Preset.objects.filter(pk=here.preset_id).select_related("installation").first()
    context = {
        "version": here,
        "asked": here.request,
        "preset": preset,
        "comparison": compare(here, _versions(here.preset_id).defer("asked"), request.GET.get("with", ""), _fields_of),
        "calls": _calls([here]),
        "may_run": _has(request, "operator"),
    }
    return render(request, "operations/preset_version.html", context)


@operator
@require_POST
def roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    here = get_object_or_404(PresetVersion, pk=pk)
    preset = _preset(here.preset_id)
    made, new = actions.roll_back(actor_of(request), preset, here)
    said = f"Version {made.number} says what version {here.number} said." if new else "The preset says this already."
    messages.success(request, said)
    return redirect(preset)


@viewer
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "operations/preset_help.html")


def to_saved(request: HttpRequest, version: PresetVersion, new: bool) -> HttpResponse:
    """The preset's page, which says what was saved."""
    said = f"{version.preset_name} is saved as version {version.number}." if new else (
        f"Version {version.number} says this already, so no new one was made."
    )  # fmt: skip
    messages.success(request, said)
    return redirect("operations:preset", version.preset_id)


def refused(request: HttpRequest, asked: Asked) -> HttpResponse | None:
    """The page that says why this person may not send this request; None where nothing is in its way."""
    role, person = permits.role_for(asked), person_of(request)
    if person is None or not person.has_role(role):
        return problems.answer(request, problems.role_needed(role, person.role if person else None))
    return None


def sent(request: HttpRequest, preset: Preset, asked: Asked) -> HttpResponseBase:
    """The way to the answer, or back to the preset with the reason."""
    reason = permits.obstacle(preset.installation, asked, request.POST.get("sure", ""))
    if not reason:
        try:
            return running.respond(request, preset.installation, asked)
        except NotPassedOn as problem:
            reason = str(problem)
    messages.error(request, f"Nothing was sent. {reason}")
    return redirect(preset)


def needs_form(version: PresetVersion) -> bool:
    """Whether files have to be chosen, which presets do not keep."""
    asked, operation = version.request, version.operation
    takes_files = operation is not None and (asked.multipart or operation.bodies.keys() == {"multipart"})
    return bool(asked.files) or takes_files


def leads_elsewhere(version: PresetVersion) -> bool:
    return needs_form(version) or bool(places.has_places(version.request) and record_url(version))


def record_url(version: PresetVersion) -> str:
    """Where it is run with a record: a room above has that page. Empty where there is none."""
    try:
        return reverse("presets:record", args=[version.preset_id])
    except NoReverseMatch:
        return ""


def _page(request: HttpRequest, preset: Preset, form: NameForm | None = None) -> HttpResponse:
    version = preset.current()
    asked, versions = version.request, list(_versions(preset.pk).defer("asked"))
    role = permits.role_for(asked)
    context = {
        "preset": preset,
        "version": version,
        "versions": versions,
        "asked": asked,
        "places": list(dict.fromkeys(places.expressions(asked))),
        "needs_form": needs_form(version),
        "record_url": "" if needs_form(version) else record_url(version),
        "calls": _calls(versions, preset.last_call_id),
        "rename_form": form or NameForm(prefix="preset", initial={"name": preset.name}),
        "consequence": costly.consequence(asked.method, asked.path),
        "sure": costly.sure(asked.method, asked.path),
        "role_text": f"Running it needs the role {role}.",
        "may_send": _has(request, role),
        "may_run": _has(request, "operator"),
        "may_delete": _has(request, "administrator"),
    }
    return render(request, "operations/preset.html", context)


def _preset(pk: int) -> Preset:
    return get_object_or_404(Preset.objects.select_related("installation__connection"), pk=pk)


def _versions(preset_id: int) -> Any:
    return PresetVersion.objects.filter(preset_id=preset_id).order_by("-number")


def _calls(versions: list[PresetVersion], last: UUID | None = None) -> list[Call]:
    """The newest calls that people made by one of these versions, and the call `last`, which a flow may have made."""
    by_hand = Q(cause=running.CAUSE, cause_id__in=[str(each.pk) for each in versions])
    found = Call.objects.filter(by_hand | Q(pk=last) if last else by_hand)
    return list(found.order_by("-created_at", "-id")[:LAST_CALLS])


def _fields_of(version: PresetVersion) -> Iterator[Field]:
    return fields_of(version.request)


def _has(request: HttpRequest, role: str) -> bool:
    person = person_of(request)
    return person is not None and person.has_role(role)
