"""Deliveries as a sender makes them, and the receiver driven as an ASGI server drives it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from asgiref.sync import async_to_sync
from standardwebhooks.webhooks import Webhook

from tests.builders import WEBHOOK_KEY
from webhooks.receiver import application

SECRET = "whsec_bWFkZS11cC10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWI="
PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def signed(body: bytes, secret: str = SECRET, webhook_id: str = "wh_1", age: float = 0) -> dict[str, str]:
    at = datetime.fromtimestamp(time.time() - age, UTC)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, body.decode()),
    }


def deliver(
    body: bytes,
    headers: dict[str, str] | None = None,
    key: str = WEBHOOK_KEY,
    path: str = "/hookapi/v2/dynamic/OpenAI/Product",
    method: str = "POST",
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the receiver's answer."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": quote(key, safe="").encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        "client": ("203.0.113.7", 4000),
    }
    size = 64 * 1024
    chunks = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        chunk = chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        sent.append(message)

    async_to_sync(application)(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])
