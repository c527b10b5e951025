"""Django's own form messages in the words of the house: what is wrong, then what to enter. Fields may say more."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core import validators

FIELD_WORDS: Final[dict[type[forms.Field], dict[str, str]]] = {
    forms.Field: {"required": "This is empty. Fill it in."},
    forms.IntegerField: {"invalid": "This is not a whole number. Enter digits only."},
    forms.FloatField: {"invalid": "This is not a number. Enter digits, with a point before the fraction."},
    forms.DecimalField: {"invalid": "This is not a number. Enter digits, with a point before the fraction."},
    forms.ChoiceField: {
        "required": "Nothing is chosen. Choose one.",
        "invalid_choice": "%(value)s is not one of the choices. Choose another.",
    },
    forms.MultipleChoiceField: {
        "required": "Nothing is chosen. Choose at least one.",
        "invalid_choice": "%(value)s is not one of the choices. Choose others.",
    },
    forms.ModelChoiceField: {"invalid_choice": "What you chose is no longer there. Choose another."},
    forms.BooleanField: {"required": "This has to be ticked."},
}
VALIDATOR_WORDS: Final[dict[type[Any], str]] = {
    validators.MinValueValidator: "%(show_value)s is too little. Enter %(limit_value)s or more.",
    validators.MaxValueValidator: "%(show_value)s is too much. Enter %(limit_value)s or less.",
    validators.MinLengthValidator: "%(show_value)s characters are too few. Enter at least %(limit_value)s.",
    validators.MaxLengthValidator: "%(show_value)s characters are too many. Enter at most %(limit_value)s.",
    validators.EmailValidator: "This is not an email address. Enter one such as maren@example.com.",
}


def use_house_words() -> None:
    """Called once when the program starts, before any form is made: fields copy their messages when they are made."""
    for field, words in FIELD_WORDS.items():
        field.default_error_messages = {**vars(field).get("default_error_messages", {}), **words}
    for validator, sentence in VALIDATOR_WORDS.items():
        validator.message = sentence
