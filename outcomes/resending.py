"""Sending a call once more from what the log holds of it."""

from __future__ import annotations

from typing import Any

from connections.clients import client_for
from connections.models import Installation
from logs.context import Context
from logs.models import Body, Call
from openai_api import loop
from openai_api.client import Forwarded
from openai_api.passage import Passage
from openai_api.retries import RetryPolicy

CAUSE = "sent again"
# What the log leaves out is marked so (see logs.redaction).
LEFT_OUT = "[redacted: "
# Headers that change what is asked for. All others are the connection's, or belong to whoever asked first.
KEPT_HEADERS = ("content-type", "openai-beta")
SECONDS = 600.0
LONGEST_PATH = 500


def why_not(call: Call) -> str:
    """Why this call can't be sent again from here; empty when it can."""
    body = _body(call)
    if not Installation.objects.filter(pk=call.installation_id or 0).exists():
        return "Its installation was deleted, so it can't be sent again from here."
    if body is None or body.truncated or (body.size and "json" not in body.content_type):
        return "The log does not hold the whole request, so it can't be sent again from here. Repeat it where it came from."
    if LEFT_OUT in body.text or LEFT_OUT in call.path or len(call.path) >= LONGEST_PATH:
        return "The request held a secret that the log does not keep. Repeat it where it came from."
    return ""


def send(call: Call, actor: str) -> None:
    """Send it, once and without retries, and wait for the end of the answer, which the log keeps. Raises CallError."""
    body = _body(call)
    installation = Installation.objects.select_related("connection").get(pk=call.installation_id or 0)
    client = client_for(installation)
    headers = {name: value for name, value in (body.headers if body else {}).items() if name in KEPT_HEADERS}
    content = body.text.encode() if body else b""
    asked = Forwarded(call.method, call.path, "", client.head(headers), content, size=len(content), timeout=SECONDS)
    context = Context(CAUSE, str(call.pk), f"{call.title} {call.short_id}", actor, call.correlation_id)
    loop.run(_carry(client.forward(asked, context, RetryPolicy(count=0))))


async def _carry(passage: Passage) -> None:
    await passage.open(whole=False)
    try:
        if passage.response is not None:
            async for _ in passage.chunks():
                pass
    finally:
        await passage.close()


def _body(call: Call) -> Any:
    return Body.objects.filter(call_id=call.pk, attempt=0).first()
