"""The forms of connections. Pages and commands check what they are given through the same classes."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from connections.fields import SecretField
from connections.models import DEFAULT_BASE_URL, Connection, Installation
from openai_api.errors import AddressRefused
from openai_api.guard import check_url
from ui.forms import OptionCards

OPENAI, SANDBOX, OTHER = "openai", "sandbox", "other"
SANDBOX_KEY = "sk-sandbox"
ACCOUNT_ID = re.compile(r"[A-Za-z0-9_.-]*", re.ASCII)


def one_line(text: str) -> str:
    return " ".join(text.split())


class Named(forms.Form):
    """A form with a name that no other row of `table` has. `keep` is the row that is being edited."""

    table: type[Connection] | type[Installation]

    def __init__(self, *args: Any, keep: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keep = keep

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"])
        if self.table.objects.taken(name, but=self.keep):
            raise ValidationError(f"Another {self.table._meta.verbose_name} is called “{name}”. Choose another name.")
        return name


class ConnectionFields(Named):
    """What a connection is, apart from its key."""

    table = Connection

    name = forms.CharField(
        max_length=120,
        help_text="How installations and the log call it, such as “Harbor & Pine main”.",
        error_messages={"required": "A connection needs a name. Enter one that says whose key it is."},
    )
    base_url = forms.CharField(
        label="Base URL",
        required=False,
        max_length=500,
        help_text=f"Only for another server; up to and with its version, as in {DEFAULT_BASE_URL}.",
    )
    organization = forms.CharField(
        label="Organization ID",
        required=False,
        max_length=120,
        help_text="Begins with org-. Only needed when the key belongs to several organizations.",
    )
    project = forms.CharField(
        label="Project ID",
        required=False,
        max_length=120,
        help_text="Begins with proj_. Only needed for an old key that is not bound to one project.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"] = self._kind_field()
        self.order_fields(["name", "kind", "base_url", "api_key", "organization", "project"])

    @staticmethod
    def _kind_field() -> forms.ChoiceField:
        """A choice that is there only where the sandbox is."""
        rows = [
            (OPENAI, "OpenAI", "OpenAI itself, with a key of your account."),
            (
                SANDBOX,
                "Sandbox (no key needed)",
                "A stand-in beside Patchbay. Nothing leaves this machine, nothing costs.",
            ),
            (OTHER, "Another server", "A gateway, a regional address or a model server that speaks OpenAI's API."),
        ]
        rows = [row for row in rows if row[0] != SANDBOX or settings.SANDBOX_URL]
        widget = OptionCards({value: sentence for value, _, sentence in rows})
        choices = [(value, label) for value, label, _ in rows]
        return forms.ChoiceField(label="Where it calls", choices=choices, initial=OPENAI, required=False, widget=widget)

    @staticmethod
    def kind_of(base_url: str) -> str:
        if settings.SANDBOX_URL and base_url == settings.SANDBOX_URL:
            return SANDBOX
        return OPENAI if base_url == DEFAULT_BASE_URL else OTHER

    def clean_organization(self) -> str:
        return self._account_id("organization")

    def clean_project(self) -> str:
        return self._account_id("project")

    def _account_id(self, name: str) -> str:
        value: str = self.cleaned_data[name]
        if not ACCOUNT_ID.fullmatch(value):
            raise ValidationError("Only letters, digits, - and _ belong here. Copy the ID from OpenAI's settings.")
        return value

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        data["base_url"] = self._address(data.get("kind") or OPENAI, data.get("base_url", ""))
        return data

    def _address(self, kind: str, typed: str) -> str:
        fixed = {OPENAI: DEFAULT_BASE_URL, SANDBOX: settings.SANDBOX_URL}
        if kind in fixed:
            return str(fixed[kind])
        address = "".join(typed.split()).rstrip("/")
        if not address:
            self.add_error("base_url", f"This is empty. Enter the server's address, as in {DEFAULT_BASE_URL}.")
            return ""
        try:
            check_url(address)
        except AddressRefused as error:
            self.add_error("base_url", error.sentence)
        return address


class ConnectionForm(ConnectionFields):
    """A new connection. The key is kept by nobody until the connection is made."""

    api_key = SecretField(
        label="API key",
        required=False,
        help_text="OpenAI needs one, the sandbox none. Stored encrypted; only its last four characters are shown again.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        kind, key = data.get("kind") or OPENAI, data.get("api_key", "")
        if kind == SANDBOX and not key:
            data["api_key"] = SANDBOX_KEY
        elif kind == OPENAI and not key and "api_key" not in self.errors:
            self.add_error(
                "api_key", "OpenAI needs a key. Make one as described beside this form, or choose the sandbox."
            )
        if key and self.errors and "api_key" not in self.errors:
            self.add_error("api_key", "Enter the key again: it is not kept while another field is being corrected.")
        return data


class ConnectionEditForm(ConnectionFields):
    """Changes to a connection. A key goes only to the server it was given for, so another address asks for it again."""

    api_key = SecretField(
        label="API key",
        required=False,
        help_text="Only when the address changes: a stored key is not sent to another server. Else leave it empty.",
    )

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        self.connection = connection
        kept = {name: getattr(connection, name) for name in ("name", "base_url", "organization", "project")}
        initial = kept | {"kind": self.kind_of(connection.base_url)}
        super().__init__(*args, keep=connection.pk, initial=initial, **kwargs)

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        moved = data["base_url"] != self.connection.base_url
        if moved and data.get("kind") == SANDBOX and not data.get("api_key"):
            data["api_key"] = SANDBOX_KEY
        elif moved and self.connection.api_key and not data.get("api_key") and not self.errors:
            self.add_error("api_key", "The address changed; a stored key is not sent to another server. Enter the key.")
        return data


class AdminKeyForm(forms.Form):
    admin_key = SecretField(
        label="Admin key",
        required=False,
        help_text="Begins with sk-admin-. Stored encrypted; only its last four characters are shown again. Leave it empty to "
        "take out the one that is stored.",
    )

    def clean_admin_key(self) -> str:
        key: str = self.cleaned_data["admin_key"]
        if key.startswith(("sk-proj-", "sk-svcacct-")):
            raise ValidationError("This is the key of a project. Make an admin key in OpenAI's organization settings.")
        return key


class KeyForm(forms.Form):
    api_key = SecretField(
        label="New API key",
        help_text="Replaces the stored key at once. Calls that are under way end with the old one.",
        error_messages={"required": "This is empty. Paste the new key."},
    )
