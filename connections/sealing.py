"""Secrets at rest: AES-256-GCM with the id of the key that sealed, bound to the row and field it belongs to.

A sealed value reads `v1:<key id>:<base64 of nonce and ciphertext>`. The authenticated data is
`<app>.<model>.<field>:<pk>`, so a value copied to another row or column does not open there. The first key of
`SEALING_KEYS` seals, every key opens.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

VERSION = "v1"
NONCE, TAG = 12, 16


class CannotOpen(Exception):
    """The value was sealed under a key that this process does not have, or belongs to another row."""


def key_id(key: bytes) -> str:
    return hashlib.sha256(b"patchbay sealing key" + key).hexdigest()[:8]


def _keys() -> dict[str, AESGCM]:
    return {key_id(key): AESGCM(key) for key in settings.SEALING_KEYS}


def seal(value: str, place: str) -> str:
    key: bytes = settings.SEALING_KEYS[0]
    nonce = os.urandom(NONCE)
    box = nonce + AESGCM(key).encrypt(nonce, value.encode(), place.encode())
    return f"{VERSION}:{key_id(key)}:{base64.urlsafe_b64encode(box).decode()}"


def unseal(sealed: str, place: str) -> str:
    """The clear text. Raises CannotOpen, whose message names the missing key and holds nothing secret."""
    kid, box = _parts(sealed, place)
    key = _keys().get(kid)
    if key is None:
        raise CannotOpen(f"This secret was sealed under key {kid}, which is not in SEALING_KEYS.")
    try:
        return key.decrypt(box[:NONCE], box[NONCE:], place.encode()).decode()
    except InvalidTag:
        raise CannotOpen(f"This secret does not belong at {place}.") from None


def _parts(sealed: str, place: str) -> tuple[str, bytes]:
    """Key id, and nonce with ciphertext."""
    try:
        version, kid, box = sealed.split(":", 2)
        raw = base64.b64decode(box, altchars=b"-_", validate=True)
    except ValueError:
        version, kid, raw = "", "", b""
    if version != VERSION or len(raw) < NONCE + TAG:
        raise CannotOpen(f"What is stored at {place} is not a sealed secret.")
    return kid, raw


@dataclass(frozen=True)
class Sealed:
    """A secret as a model holds it: sealed text and its place. Printed, it shows neither secret nor ciphertext."""

    text: str
    place: str

    def __bool__(self) -> bool:
        return bool(self.text)

    def __str__(self) -> str:
        return "[sealed]" if self.text else ""

    __repr__ = __str__

    def open(self) -> str:
        """Called in `connections.clients` and `webhooks.signature` only; a test looks for callers elsewhere."""
        return unseal(self.text, self.place) if self.text else ""

    @property
    def key_id(self) -> str:
        """The id of the key that sealed it; empty when there is nothing to open or nothing that could be opened."""
        parts = self.text.split(":", 2)
        return parts[1] if len(parts) == 3 else ""

    def resealed(self) -> Sealed:
        """The same secret under the first key. Raises CannotOpen."""
        return Sealed(seal(unseal(self.text, self.place), self.place), self.place)


class SealedTextField(models.TextField[Any, Any]):
    """A text column for a secret. Assign clear text; read back a `Sealed`. The row needs its primary key first."""

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, name, SealedAttribute(name))

    def deconstruct(self) -> Any:
        """A plain text column to migrations, which import nothing of ours."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name not in {"exact", "isnull"}:
            raise TypeError("A sealed field cannot be searched.")
        return super().get_lookup(lookup_name)

    def from_db_value(self, value: str | None, *args: object) -> Sealed:
        """Marks what the database holds as sealed, so that clear text is never taken for it by its looks."""
        return Sealed(value or "", "")

    def to_python(self, value: Any) -> Any:
        """Validation reads a field and assigns what it read: that must not seal the printed form over the secret."""
        return value if isinstance(value, Sealed) else super().to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        """Refuses clear text: `QuerySet.update()` and filters come past the attribute that would have sealed it."""
        if isinstance(value, str) and value:
            raise TypeError("Clear text cannot go to a sealed column. Assign it to the row and save the row.")
        return value.text if isinstance(value, Sealed) else value


class SealedAttribute:
    """Seals what is assigned in clear, and passes through what comes from the database already sealed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def place(self, row: models.Model) -> str:
        label = (row._meta.concrete_model or type(row))._meta.label_lower
        return f"{label}.{self.name}:{row.pk}"

    def __get__(self, row: models.Model | None, owner: type[models.Model]) -> Any:
        if row is None:
            return self
        if self.name not in row.__dict__:
            row.refresh_from_db(fields=[self.name])
        return Sealed(row.__dict__[self.name] or "", self.place(row))

    def __set__(self, row: models.Model, value: str | Sealed | None) -> None:
        if isinstance(value, Sealed):
            row.__dict__[self.name] = value.text
        elif not value:
            row.__dict__[self.name] = ""
        elif row.pk is None:
            raise ValueError("Save the row before sealing a secret in it: a sealed value is bound to its row.")
        else:
            row.__dict__[self.name] = seal(value, self.place(row))
