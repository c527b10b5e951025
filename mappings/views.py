"""Pages of mappings: list, one mapping with its rules and the preview, its settings, one rule."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.db.models import Count, RestrictedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors import actor_of
from connections.models import Installation
from mappings import actions, samples
from mappings.apply import MappingSpec
from mappings.forms import MappingForm, NewMappingForm, RuleForm
from mappings.models import Mapping, Rule
from mappings.preview import SampleError, read_sample, show, with_draft
from ui.access import administrator, viewer
from ui.htmx import is_partial


@viewer
@require_http_methods(["GET", "HEAD"])
def index(request: HttpRequest) -> HttpResponse:
    """All mappings, by installation."""
    rows = Mapping.objects.select_related("installation").annotate(rule_count=Count("rules"))
    return render(
        request,
        "mappings/list.html",
        {"mappings": rows, "any_installation": Installation.objects.exists(), "can_edit": _can_edit(request)},
    )


@viewer
@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A mapping and its rules; a POST tries it on the sample that was typed, and changes nothing."""
    mapping = _mapping(pk)
    context = _preview(request, mapping.spec())
    if is_partial(request):
        return render(request, "mappings/_preview.html", context)
    return render(
        request,
        "mappings/detail.html",
        context | {"mapping": mapping, "rules": mapping.rules.all(), "can_edit": _can_edit(request)},
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
        if actions.change_mapping(actor_of(request), form.instance, form.values()):
            messages.success(request, "The settings are saved as a new version.")
        return redirect("mappings:detail", pk)
    return render(request, "mappings/edit.html", {"form": form, "mapping": _mapping(pk)})


@administrator
@require_POST
def activate(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn a mapping on or off."""
    actions.change_mapping(actor_of(request), _mapping(pk), {"active": request.POST.get("active") == "1"})
    return redirect("mappings:detail", pk)


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


@administrator
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest, pk: int, rule_pk: int | None = None) -> HttpResponse:
    """One rule, new or old. The button "Try" and every keystroke try it; only "Save rule" saves it."""
    mapping = _mapping(pk)
    row = get_object_or_404(mapping.rules, pk=rule_pk) if rule_pk else Rule(mapping=mapping)
    form = RuleForm(request.POST or None, instance=row)
    trying = "try" in request.POST
    if not trying and form.is_valid():
        actions.save_rule(actor_of(request), form.instance, form.values())
        return redirect("mappings:detail", pk)
    spec = with_draft(mapping.spec(), _number(mapping, rule_pk), form.draft()) if form.is_bound else mapping.spec()
    context = _preview(request, spec) | {"mapping": mapping, "form": form, "rule": row if rule_pk else None}
    return render(request, "mappings/_preview.html" if is_partial(request) else "mappings/rule.html", context)


@administrator
@require_POST
def move_rule(request: HttpRequest, pk: int, rule_pk: int) -> HttpResponse:
    step = -1 if request.POST.get("step") == "up" else 1
    actions.move_rule(actor_of(request), get_object_or_404(_mapping(pk).rules, pk=rule_pk), step)
    return redirect("mappings:detail", pk)


@administrator
@require_POST
def delete_rule(request: HttpRequest, pk: int, rule_pk: int) -> HttpResponse:
    actions.delete_rule(actor_of(request), get_object_or_404(_mapping(pk).rules, pk=rule_pk))
    return redirect("mappings:detail", pk)


def _mapping(pk: int) -> Mapping:
    return get_object_or_404(Mapping.objects.select_related("installation"), pk=pk)


def _can_edit(request: HttpRequest) -> bool:
    return bool(request.user.has_role("administrator"))  # type: ignore[union-attr]  # the policy let in nobody else


def _number(mapping: Mapping, rule_pk: int | None) -> int | None:
    """The place of a rule in its mapping, from 0."""
    return None if rule_pk is None else [row.pk for row in mapping.rules.all()].index(rule_pk)


def _preview(request: HttpRequest, spec: MappingSpec) -> dict[str, Any]:
    """The preview's part of a page: the sample as typed, else one of ours, and what the mapping makes of it."""
    ours = samples.document_for(spec)
    text = request.POST.get("sample") or json.dumps(ours, indent=2, ensure_ascii=False)
    context: dict[str, Any] = {"sample": text, "spec": spec}
    try:
        return context | {"shown": show(spec, read_sample(text))}
    except SampleError as error:
        return context | {"sample_error": str(error)}
