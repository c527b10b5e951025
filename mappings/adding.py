"""The gallery: ready-made tasks for an installation that is there already."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.actors import actor_of
from connections.models import Installation
from mappings.defaults import add_tasks
from mappings.gallery import TASKS
from ui.access import administrator


class GalleryForm(forms.Form):
    """Which tasks, and for which installation."""

    installation = forms.ModelChoiceField(
        Installation.objects.all(),
        empty_label=None,
        error_messages={"required": "Tasks need an installation. Choose one."},
    )

    def __init__(self, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # what was posted, or nothing
        for task in TASKS:
            self.fields[task.slug] = forms.BooleanField(label=task.name, required=False, help_text=task.sentence)

    def tasks(self) -> dict[str, list[forms.BoundField]]:
        """The fields of the tasks, by entity."""
        found: dict[str, list[forms.BoundField]] = {}
        for task in TASKS:
            found.setdefault(task.entity, []).append(self[task.slug])
        return found

    def clean(self) -> dict[str, object]:
        if not self.chosen():
            raise forms.ValidationError("No task is chosen. Tick at least one.")
        return self.cleaned_data

    def chosen(self) -> list[str]:
        return [task.slug for task in TASKS if self.cleaned_data.get(task.slug)]


@administrator
@require_http_methods(["GET", "HEAD", "POST"])
def gallery(request: HttpRequest) -> HttpResponse:
    form = GalleryForm(request.POST or None)
    if form.is_valid():
        count = add_tasks(actor_of(request), form.cleaned_data["installation"], form.chosen())
        said = f"{count} mapping{'s are' if count != 1 else ' is'} added." if count else "They were there already."
        messages.success(request, said)
        return redirect("mappings:list")
    return render(request, "mappings/gallery.html", {"form": form})
