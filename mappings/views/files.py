"""Mappings out of and into a file. An import shows what it would change before it does."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actors import actor_of
from connections.models import Installation
from mappings.actions import NameTaken
from mappings.files import MOST, FileError
from mappings.importing import Change, carry_out, exported, plan
from ui.access import administrator, viewer
from ui.ids import id_in


class FileForm(forms.Form):
    file = forms.FileField(label="File", required=False, help_text="As an export gives it.")
    text = forms.CharField(
        label="Or its text",
        required=False,
        strip=False,
        max_length=MOST,
        widget=forms.Textarea(attrs={"id": "import-text", "spellcheck": "false", "class": "mono"}),
    )

    def clean(self) -> dict[str, str]:
        """`text` is what the file holds, if one was chosen."""
        chosen = self.cleaned_data.get("file")
        if chosen:
            try:
                self.cleaned_data["text"] = chosen.read(MOST + 1).decode()
            except UnicodeDecodeError:
                self.add_error("file", "This is no text in UTF-8. Choose a file that was exported here.")
        elif not self.cleaned_data.get("text", "").strip():
            self.add_error("file", "There is nothing to import. Choose a file, or put in its text.")
        return self.cleaned_data


@viewer
@require_safe
def download(request: HttpRequest, pk: int) -> HttpResponse:
    """All mappings of an installation, or with `?mapping=` one of them."""
    installation = get_object_or_404(Installation, pk=pk)
    chosen = list(installation.mappings.filter(pk=id_in(request.GET.get("mapping", ""))))
    name = slugify(f"{installation.name} {chosen[0].name if chosen else 'mappings'}") or "mappings"
    text = exported(installation, chosen or None)
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return HttpResponse(text, content_type="application/json; charset=utf-8", headers=headers)


@administrator
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, pk: int) -> HttpResponse:
    """The first button shows what would change, the second one, below that, changes it."""
    installation = get_object_or_404(Installation, pk=pk)
    form = FileForm(request.POST or None, request.FILES or None)
    context = {"installation": installation, "form": form}
    if form.is_valid():
        text = form.cleaned_data["text"]
        try:
            changes = plan(installation, text)
            if "import" in request.POST:
                carry_out(actor_of(request), installation, changes, "Imported")
                messages.success(request, _told(changes))
                return redirect("mappings:list")
            context["form"] = FileForm()
            context |= {"changes": changes, "file_text": text, "any": any(each.what != "same" for each in changes)}
        except FileError as error:
            context |= {"problems": error.problems, "file_text": text}
        except NameTaken as taken:
            form.add_error(None, str(taken))
    return render(request, "mappings/import.html", context)


def _told(changes: list[Change]) -> str:
    """`2 mappings are new, 1 is changed, 4 are as they were.`"""
    words = {"add": "new", "change": "changed", "same": "as before"}
    counts = [(len([each for each in changes if each.what == what]), word) for what, word in words.items()]
    return f"Mappings imported: {', '.join(f'{count} {word}' for count, word in counts if count)}."
