"""The key in a webhook address: made once, shown once, kept and found by its SHA-256 alone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import quote

from django.conf import settings

from connections.models import Installation

PREFIX = "pbw_"
# The entities that the default mappings know. Any other name works in an address as well.
ENTITIES = ("Product", "Customer", "Message")


def new_key() -> str:
    """256 random bits in letters that need no encoding, so that a key pasted into an address by hand works too."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def webhook_url(key: str, entity: str = "Product") -> str:
    """The finished address, encoded, as it is pasted at OpenAI."""
    return f"{settings.PUBLIC_URL}/hookapi/v2/dynamic/OpenAI/{quote(entity, safe='')}?{quote(key, safe='')}"


def masked_url(installation: Installation) -> str:
    """The address without its key, as it may be shown at any time."""
    return f"{webhook_url('')}{PREFIX}••••{installation.webhook_key_last4}"


def installation_by_key(key: str) -> Installation | None:
    """The installation whose webhook key this is, already URL-decoded. The time it takes says nothing about the key:
    what is looked up is a hash that the sender cannot steer, and it is compared in constant time.
    """
    digest = digest_of(key)
    found = Installation.objects.select_related("connection").filter(webhook_key_digest=digest).first()
    return found if found is not None and hmac.compare_digest(found.webhook_key_digest, digest) else None
