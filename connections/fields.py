"""Form fields of this room: numbers with bounds in words, and secrets that are typed and never shown."""

from __future__ import annotations

import base64
import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

AMOUNT = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,2})?", re.ASCII)
DIGITS = re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,12}", re.ASCII)
# What fits into an HTTP header: letters, digits and signs of ASCII, nothing else.
HEADER_SAFE = re.compile(r"[\x21-\x7e]+")
SIGNING_PREFIX = "whsec_"


class WholeNumber(forms.IntegerField):
    """A whole number between two bounds. `too_much` completes "90 is more than ..." for the error.

    One that is not required may be left empty, and is then `if_empty`.
    """

    def __init__(self, least: int, most: int, too_much: str, if_empty: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most, self.too_much, self.if_empty = least, most, too_much, if_empty

    def clean(self, value: Any) -> int | None:
        text = str(value if value is not None else "").strip()
        if not text and not self.required:
            return self.if_empty
        if not text:
            raise ValidationError(f"This is empty. {self.range_words}")
        if not DIGITS.fullmatch(text):
            raise ValidationError(f"“{text[:40]}” is not a whole number. {self.range_words}")
        number = int(text.replace(",", ""))
        if number > self.most:
            raise ValidationError(f"{number} is more than {self.too_much}. {self.range_words}")
        if number < self.least:
            raise ValidationError(f"{number} is too little. {self.range_words}")
        return number

    @property
    def range_words(self) -> str:
        return f"Enter {self.range_short}."

    @property
    def range_short(self) -> str:
        """What stands behind the box."""
        return f"{self.least} to {self.most:,}"


class Amount(forms.DecimalField):
    """A number with up to two decimals between two bounds, such as `1,250.50`; `unit` is what it is an amount of.

    Empty is `if_empty`.
    """

    def __init__(self, least: str, most: str, unit: str, if_empty: Decimal | None = None, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.least, self.most, self.unit, self.if_empty = Decimal(least), Decimal(most), unit, if_empty

    def clean(self, value: Any) -> Decimal | None:
        text = str(value if value is not None else "").strip().removeprefix("$").strip()
        if not text:
            return self.if_empty
        if not AMOUNT.fullmatch(text):
            raise ValidationError(f"“{text[:40]}” is not a number with at most two decimals. {self.range_words}")
        number = Decimal(text.replace(",", ""))
        if not self.least <= number <= self.most:
            raise ValidationError(f"{text} is too {'little' if number < self.least else 'much'}. {self.range_words}")
        return number.quantize(Decimal("0.01"))

    @property
    def range_words(self) -> str:
        return f"Enter {self.least:,} to {self.most:,} {self.unit}."


class SecretField(forms.CharField):
    """A secret: a password box that is never filled in again. Line breaks and spaces that came along are dropped."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"autocomplete": "off", "spellcheck": "false", "class": "mono"}
        super().__init__(widget=forms.PasswordInput(attrs=attrs, render_value=False), strip=False, **kwargs)

    def to_python(self, value: Any) -> str:
        return "".join(str(value or "").split())

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and not HEADER_SAFE.fullmatch(value):
            raise ValidationError("This holds a character that no key has. Copy the key again and paste it here.")
        if len(value) > 500:
            raise ValidationError("This is longer than any key. Copy only the key and paste it here.")


class SigningSecretField(SecretField):
    """OpenAI's webhook signing secret: `whsec_`, then base64 of at least 16 bytes (Standard Webhooks)."""

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and not value.startswith(SIGNING_PREFIX):
            raise ValidationError(
                f"A signing secret begins with {SIGNING_PREFIX}; this is something else. "
                "Copy it from the webhook's page at OpenAI, where it is shown once after Create."
            )
        if value and not _is_base64_of_enough(value.removeprefix(SIGNING_PREFIX)):
            raise ValidationError("A part of this secret is missing or damaged. Copy all of it and paste it again.")


def _is_base64_of_enough(text: str) -> bool:
    try:
        return len(base64.b64decode(text + "=" * (-len(text) % 4), validate=True)) >= 16
    except ValueError:
        return False
