"""Versions of a mapping: their list, one beside another, back to an older one, a note."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from mappings import actions
from mappings.differences import changed_fields, fields_of
from mappings.forms import note_in
from mappings.models import Mapping, MappingVersion
from ui.access import administrator, person_of, viewer
from versions.comparing import compare
from versions.differences import Field

MOST = 200


@viewer
@require_safe
def listing(request: HttpRequest, pk: int) -> HttpResponse:
    mapping = get_object_or_404(Mapping.objects.select_related("installation"), pk=pk)
    newest = list(MappingVersion.objects.of(pk)[: MOST + 1])
    said = [version.said for version in newest] + ([] if len(newest) > MOST else [{}])
    rows = [(version, changed_fields(said[number + 1], said[number])) for number, version in enumerate(newest[:MOST])]
    return render(request, "mappings/versions.html", {"mapping": mapping, "rows": rows, "more": len(newest) > MOST})


@viewer
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One version, and what differs from another: `?with=<number>`, by default the one before it."""
    here = get_object_or_404(MappingVersion, pk=pk)
    others = MappingVersion.objects.of(here.mapping_id).defer("said")
    person = person_of(request)
    said, rules = here.rows()
    context = {
        "version": here,
        "said": said,
        "rules": rules,
        "mapping": Mapping.objects.filter(pk=here.mapping_id).first(),
        "comparison": compare(here, others, request.GET.get("with", ""), _fields_of),
        "can_edit": person is not None and person.has_role("administrator"),
    }
    return render(request, "mappings/version.html", context)


@administrator
@require_POST
def roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    here = get_object_or_404(MappingVersion, pk=pk)
    mapping = get_object_or_404(Mapping, pk=here.mapping_id)
    try:
        made, new = actions.roll_back(actor_of(request), mapping, here)
    except actions.NameTaken as taken:
        messages.error(request, f"Nothing was changed. Version {here.number} is called otherwise, and {taken}")
        return redirect(here)
    said = f"Version {made.number} says what version {here.number} said." if new else "The mapping says this already."
    messages.success(request, said)
    return redirect(mapping)


@administrator
@require_POST
def note(request: HttpRequest, pk: int) -> HttpResponse:
    here = get_object_or_404(MappingVersion, pk=pk)
    if actions.note_version(actor_of(request), here, note_in(request.POST)):
        messages.success(request, "The note is saved.")
    return redirect(here)


def _fields_of(version: MappingVersion) -> Iterator[Field]:
    return fields_of(version.said)
