"""Rows of the hub for tests, and a far side that counts what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
from django.utils import timezone

from connections.models import Installation
from flows.actions import save_record, start_push
from flows.models import Item, Record, Run
from logs.audit import Actor
from logs.models import Body, Call
from mappings.defaults import create_defaults
from mappings.models import Mapping
from tests import builders

OMAR = Actor("omar")


def ready_installation(**over: Any) -> Installation:
    """An installation with its default mappings."""
    installation = builders.installation(**over)
    create_defaults(installation)
    return installation


def mapping(installation: Installation, name: str, direction: str, operation: str, **rules: str) -> Mapping:
    """A mapping of products: target → path (to the hub), or target → value (from the hub)."""
    made = Mapping.objects.create(
        installation=installation, name=name, entity="Product", direction=direction, operation=operation
    )
    kind = "static" if direction == "from_hub" else "field"
    for order, (target, source) in enumerate(rules.items(), start=1):
        made.rules.create(order=order, kind=kind, target=target, source=source)
    return made


def product(key: str = "P-1", **fields: Any) -> Record:
    return save_record(OMAR, "Product", key, {"name": f"Thing {key}", **fields}, cause="sample")[0]


def push(records: list[Record] | None = None, installation: Installation | None = None, **options: Any) -> Run:
    chosen = [product()] if records is None else records
    return start_push(OMAR, installation or ready_installation(), "Product", chosen, **options)


def abandoned_item(call_state: str = "", **call: Any) -> Item:
    """An item as a killed worker leaves it, with the call that it had made, if any."""
    item = push().items.get()
    past = timezone.now() - timedelta(seconds=30)
    values = {"state": "working", "lease_token": "dead", "lease_until": past, "attempts": 1}
    Item.objects.filter(pk=item.pk).update(request={"input": "Describe"}, **values)
    if call_state:
        row = {"operation": "create_response", "method": "POST", "path": "/responses", "correlation_id": "c"}
        Call.objects.create(**{**row, "state": call_state, "cause": "run item", "cause_id": str(item.pk), **call})
    item.refresh_from_db()
    return item


def stored_answer(item: Item, response: dict[str, Any], truncated: bool = False) -> None:
    call = Call.objects.get(cause_id=str(item.pk))
    Body.objects.create(call_id=call.pk, attempt=1, text=json.dumps(response), truncated=truncated)


def response(number: int = 1, text: str = "A fine thing.", **over: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": content}
    found = {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "gpt-6-luna",
    }
    return found | {"output": [message], "error": None, "usage": None} | over


class FarSide:
    """Answers like OpenAI and keeps what it was asked; `answer` may be replaced by a test."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer: Callable[[httpx.Request, int], httpx.Response] = self.complete
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
        return self.answer(request, number)

    def complete(self, request: httpx.Request, number: int) -> httpx.Response:
        return httpx.Response(200, json=response(number))

    def asked(self, method: str = "POST") -> list[dict[str, Any]]:
        return [json.loads(request.content or b"{}") for request in self.requests if request.method == method]
