"""Forms about people. Passwords are checked by Django's validators (see settings) and never shown again."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib.auth.forms import (
    AuthenticationForm,
    BaseUserCreationForm,
    PasswordChangeForm,
    SetPasswordForm,
    UsernameField,
)
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict

from accounts import actions, lockout
from accounts.models import ROLE_TEXTS, ROLES, User
from ui.formats import clock
from ui.forms import OptionCards

PASSWORD_HELP = "At least 12 characters. Often used passwords and ones like the name are refused."  # noqa: S105
PASSWORD_ERRORS: Final[dict[str, Any]] = {
    "password_mismatch": "The two passwords differ. Enter the same one twice.",
    "password_incorrect": "This is not your password now. Enter it again.",
}
NAME_HELP = "What you sign in with, and what the log and the audit trail show. Letters, digits and @ . + - _"


class SignInForm(AuthenticationForm):
    """Name and password, with a pause after too many wrong ones (see `accounts.lockout`)."""

    remember = forms.BooleanField(label="Keep me signed in on this device for 14 days", required=False)
    this_try: lockout.Try

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(request, data)
        self.address = str(request.META.get("REMOTE_ADDR", ""))
        self.fields["username"].label = "Name"

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username")
        if name and self.cleaned_data.get("password"):
            self.this_try = lockout.begin_try(name, self.address)
            if self.this_try.until:
                raise ValidationError(f"{_paused()} Sign in again after {clock(self.this_try.until)}.", code="paused")
        cleaned: dict[str, Any] = super().clean()
        if name and self.user_cache:
            lockout.forget_tries(name, self.address)
        return cleaned

    def get_invalid_login_error(self) -> ValidationError:
        if self.this_try.left:
            more = f"After {self.this_try.left} more {'try' if self.this_try.left == 1 else 'tries'} this name pauses"
            return ValidationError(f"The name or the password is wrong. {more} for 15 minutes.", code="wrong")
        actions.record_pause(self.cleaned_data["username"], self.address)
        return ValidationError(f"The name or the password is wrong. {_paused()} Wait 15 minutes.", code="paused")


def _paused() -> str:
    return f"Signing in under this name is paused, because {lockout.LIMIT} wrong passwords came from your address."


class PersonForm(BaseUserCreationForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A name and a password, twice; the first administrator needs no more."""

    error_messages = PASSWORD_ERRORS

    class Meta:
        model = User
        fields = ["username"]
        field_classes = {"username": UsernameField}
        labels = {"username": "Name"}
        help_texts = {"username": NAME_HELP}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word_passwords(self.fields, "password1", "password2")

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(f"Someone has the name {name} already. Enter another one.", code="taken")
        return name


class RoleField(forms.ChoiceField):
    def __init__(self) -> None:
        choices = [(role, role.capitalize()) for role in ROLES]
        super().__init__(label="Role", choices=choices, initial="viewer", widget=OptionCards(ROLE_TEXTS))


class NewPersonForm(PersonForm):
    role = RoleField()
    field_order = ["username", "role", "password1", "password2"]


class RoleForm(forms.Form):
    role = RoleField()


class OwnPasswordForm(PasswordChangeForm):
    error_messages = PASSWORD_ERRORS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "Password now"
        _word_passwords(self.fields, "new_password1", "new_password2")
        self.fields["new_password1"].label, self.fields["new_password2"].label = "New password", "New password again"


class GivenPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # generic in the stubs only
    error_messages = PASSWORD_ERRORS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word_passwords(self.fields, "new_password1", "new_password2")


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is made of: the data of a POST, even of an empty one."""
    return request.POST if request.method == "POST" else None


def _word_passwords(fields: dict[str, forms.Field], first: str, again: str) -> None:
    fields[first].label, fields[first].help_text = "Password", PASSWORD_HELP
    fields[again].label, fields[again].help_text = "Password again", ""
