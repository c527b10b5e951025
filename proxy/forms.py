"""The form of a new token."""

from __future__ import annotations

from django import forms

from connections.models import Installation


class TokenForm(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=120,
        help_text="Who will use it, such as the name of a program. The log shows it beside each call.",
        error_messages={
            "required": "A token needs a name. Enter that of the program that will use it.",
            "max_length": "This is too long. Enter 120 characters at most.",
        },
    )
    installations = forms.ModelMultipleChoiceField(
        Installation.objects.all(),
        label="Installations it may use",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "A token opens at least one installation. Choose one.",
            "invalid_choice": "There is no such installation any more. Choose among these.",
            "invalid_pk_value": "There is no such installation any more. Choose among these.",
        },
    )
