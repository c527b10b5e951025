"""What is made of a mapping: a copy, and one that is turned round."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors import actor_of
from mappings import actions, copies
from mappings.actions import snapshot
from mappings.models import Mapping
from mappings.reversing import reverse
from ui.access import administrator


class NameForm(forms.Form):
    name = forms.CharField(max_length=copies.LONGEST)


@administrator
@require_POST
def clone(request: HttpRequest, pk: int) -> HttpResponse:
    made = copies.clone(actor_of(request), _mapping(pk))
    messages.success(request, f"{made.name} is made. It is off until you activate it.")
    return redirect(made)


@administrator
@require_http_methods(["GET", "HEAD", "POST"])
def turn_round(request: HttpRequest, pk: int) -> HttpResponse:
    """What would come of it, rule by rule; a POST makes it."""
    mapping = _mapping(pk)
    form = NameForm(request.POST or None, initial={"name": copies.reversed_name(mapping)})
    if form.is_valid():
        try:
            made = copies.clone_reversed(actor_of(request), mapping, form.cleaned_data["name"])
        except actions.NameTaken as taken:
            form.add_error("name", str(taken))
        else:
            messages.success(request, f"{made.name} is made. It is off until you activate it.")
            return redirect(made)
    context = {"mapping": mapping, "form": form, "turned": reverse(snapshot(mapping))}
    return render(request, "mappings/turn_round.html", context)


def _mapping(pk: int) -> Mapping:
    return get_object_or_404(Mapping.objects.select_related("installation"), pk=pk)
