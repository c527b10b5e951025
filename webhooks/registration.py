"""Telling a sender of events where to send them. Only the sandbox is told by us: at OpenAI a person does it."""

from __future__ import annotations

from typing import Any

from connections.actions import set_signing_secret
from connections.clients import client_for
from connections.models import Installation
from logs.audit import SYSTEM
from logs.context import Context

# What an installation wants to hear of: the end of background responses and of batches.
EVENT_TYPES = [
    *(f"response.{end}" for end in ("completed", "failed", "cancelled", "incomplete")),
    *(f"batch.{end}" for end in ("completed", "failed", "cancelled", "expired")),
]


def register_at_sandbox(installation: Installation, webhook_url: str) -> None:
    """Register the webhook at the sandbox, in place of an earlier one, and keep the signing secret that it gives.

    Raises CallError: the installation stands without it, and whoever made it says so.
    """
    if not installation.connection.is_sandbox:
        return
    context = Context("webhook registration", str(installation.pk), installation.name, SYSTEM.name)
    client = client_for(installation)
    name = f"Installation {installation.pk}"
    for endpoint in _of_name(client.call("list_webhook_endpoints", context=context).json, name):
        client.call("delete_webhook_endpoint", path={"webhook_endpoint_id": endpoint}, context=context)
    request = {"name": name, "url": webhook_url, "event_types": EVENT_TYPES}
    made = client.call("create_webhook_endpoint", json=request, context=context).json
    set_signing_secret(SYSTEM, installation, made["signing_secret"])


def _of_name(listed: Any, name: str) -> list[str]:
    return [row["id"] for row in listed.get("data", []) if row.get("name") == name]
