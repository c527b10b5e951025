"""Plain rows for tests: `connection()`, `installation()`. Every default may be overridden by name."""

from __future__ import annotations

import hashlib
from typing import Any

from connections.models import Connection, Installation
from logs.context import Context

API_KEY = "sk-test-canary-0123456789"
WEBHOOK_KEY = "whk_test_canary_0123456789"


def connection(**over: Any) -> Connection:
    key = over.pop("api_key", API_KEY)
    row = Connection.objects.create(**{"name": "OpenAI main", "base_url": "https://api.openai.test/v1", **over})
    row.api_key, row.key_last4 = key, key[-4:]
    row.save()
    return row


def installation(**over: Any) -> Installation:
    key = over.pop("webhook_key", WEBHOOK_KEY)
    secret = over.pop("signing_secret", "")
    values = {
        "name": "OpenAI - Test",
        "model": "gpt-6-luna",
        "webhook_key_digest": hashlib.sha256(key.encode()).hexdigest(),
        "webhook_key_last4": key[-4:],
        **over,
    }
    values.setdefault("connection", Connection.objects.first() or connection())
    row = Installation.objects.create(**values)
    if secret:
        row.signing_secret = secret
        row.save()
    return row


def context(**over: Any) -> Context:
    return Context(**{"cause": "form", "actor": "ada", **over})
