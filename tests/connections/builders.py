"""What a far side answers, and rows of this room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from connections.models import InstallationDraft
from tests import people

SANDBOX = "http://127.0.0.1:8799/v1"
SECRET = "whsec_bWFkZS11cC10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWI="
NEW_KEY = "sk-fresh-canary-9876543210-Zq7x"
SCOPE_MODELS = "You have insufficient permissions for this operation. Missing scopes: api.model.read."
SCOPE_RESPONSES = "You have insufficient permissions for this operation. Missing scopes: api.responses.write."

Handler = Callable[[httpx.Request], httpx.Response]


def models_answer(*ids: str, **ends: str) -> httpx.Response:
    rows = [{"id": name, "object": "model", "created": 1, "owned_by": "openai"} for name in ids]
    rows += [{"id": name.replace("_", "-"), "object": "model", "shutdown_date": day} for name, day in ends.items()]
    return httpx.Response(200, json={"object": "list", "data": rows})


def error_answer(
    status: int, message: str, code: str | None = None, kind: str = "invalid_request_error"
) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": message, "type": kind, "param": None, "code": code}})


def always(answer: httpx.Response) -> Handler:
    return lambda request: httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)


def openai(gpt: str = "gpt-6-luna", *more: str) -> Handler:
    """A far side where every key is good."""
    return always(models_answer(gpt, *more))


def typed(**over: Any) -> dict[str, Any]:
    """A connection as a browser posts it."""
    return {"name": "Harbor & Pine main", "kind": "openai", "base_url": "", "api_key": NEW_KEY, **over}


def throttle(**over: Any) -> dict[str, Any]:
    return {
        "preset": "ongoing",
        "throttle_limit": "500",
        "throttle_seconds": "60",
        "concurrent_connections": "5",
        "concurrent_batches": "5",
        "excess": "wait",
        "deadline_seconds": "120",
        **over,
    }


def answers(**over: Any) -> dict[str, Any]:
    """Everything an installation needs, but its connection."""
    return (
        {"name": "OpenAI - Production", "version": "v1", "model": "gpt-6-luna", "default_mappings": "on"}
        | throttle()
        | over
    )


def draft(**over: Any) -> InstallationDraft:
    from accounts.models import User

    owner = over.pop("owner", None) or User.objects.filter(username="ada").first() or people.administrator_ada()
    return InstallationDraft.objects.create(
        owner=owner, answers=over.pop("answers", {}), done=over.pop("done", ["begin"])
    )
