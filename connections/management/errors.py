"""What commands share: a form's first error as one sentence, and an installation by its name or id."""

from __future__ import annotations

from django import forms
from django.core.management.base import CommandError

from connections.models import Installation


def first_error(form: forms.Form) -> str:
    """`--throttle-seconds: 90 is more than a window may last. Enter 1 to 60.`"""
    name, said = next(iter(form.errors.items()))
    what = "" if name == "__all__" else f"{form.fields[name].label or name.replace('_', ' ').capitalize()}: "
    return f"{what}{said[0]}"


def installation_called(name_or_id: str) -> Installation:
    found = Installation.objects.called(name_or_id)
    if not isinstance(found, Installation):
        raise CommandError(f"There is no installation “{name_or_id}”. Name one that stands on the page Installations.")
    return found
