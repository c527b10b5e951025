"""From a delivery to a stored event: key, entity, signature, shape, row. Plain functions of what came; no HTTP here."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from django.db import transaction

from connections.actions import installation_by_key
from connections.models import Installation
from flows.models import Entity
from webhooks import signature
from webhooks.models import Event, Refusal
from webhooks.refusals import Refused
from webhooks.tasks import process

# What is compared, searched or shown in a line is held to plain characters; the payload itself is kept as it came.
TYPE = re.compile(r"[A-Za-z0-9_.\-]{1,120}")
NAME = re.compile(r"[!-~]{1,200}")
OBJECT_KEYS = ("id", "session_id", "call_id")


@dataclass(frozen=True)
class Delivery:
    """One request of a sender. Header names are lower case; `oversized` means that the body was not read to its end."""

    entity: str
    token: str
    headers: Mapping[str, str]
    body: bytes
    address: str = ""
    oversized: bool = False


def receive(delivery: Delivery) -> Event:
    """Check and store a delivery, and put its processing in line. Raises Refused, which is counted first."""
    installation = None
    try:
        installation = _installation(delivery.token)
        return _accept(installation, delivery)
    except Refused as refused:
        known = (installation.pk, installation.name) if installation else (0, "")
        Refusal.objects.count_one(refused.reason.slug, *known, delivery.address)
        raise


def _installation(token: str) -> Installation:
    installation = installation_by_key(token) if token else None
    if installation is None:
        raise Refused("invalid_webhook_key")
    return installation


def _accept(installation: Installation, delivery: Delivery) -> Event:
    if not Entity.objects.filter(name=delivery.entity).exists():
        raise Refused("unknown_entity")
    if delivery.oversized:
        raise Refused("oversized")
    signed = bool(installation.signing_secret)
    if signed:
        signature.verify(installation, delivery.headers, delivery.body)
    return _store(installation, delivery, _event_of(delivery.body), signed)


def _event_of(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refused("malformed") from None
    if not isinstance(event, dict) or not _fits(TYPE, event.get("type")):
        raise Refused("malformed")
    return event


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _store(installation: Installation, delivery: Delivery, event: dict[str, Any], signed: bool) -> Event:
    """The stored row; for a delivery that came before, the row of then."""
    with transaction.atomic():
        row, made = Event.objects.get_or_create(
            installation_id=installation.pk,
            webhook_id=_delivery_id(delivery, event),
            defaults={
                "installation_name": installation.name,
                "entity": delivery.entity,
                "event_type": event["type"],
                "object_id": _object_id(event),
                "signed": signed,
                "payload": delivery.body.decode("utf-8"),
            },
        )
        if made:
            transaction.on_commit(partial(process.enqueue, row.pk))
        else:
            Event.objects.filter(pk=row.pk).update(deliveries=row.deliveries + 1)
    return row


def _delivery_id(delivery: Delivery, event: dict[str, Any]) -> str:
    """The sender's id of the delivery; without one (only possible unsigned), the event's id, else what it says."""
    given = delivery.headers.get("webhook-id")
    if given is not None and not _fits(NAME, given):
        raise Refused("malformed")
    if given:
        return given
    own = event.get("id")
    return str(own) if _fits(NAME, own) else f"sha256:{hashlib.sha256(delivery.body).hexdigest()}"


def _object_id(event: dict[str, Any]) -> str:
    data = event.get("data")
    ids = (data.get(key) for key in OBJECT_KEYS) if isinstance(data, dict) else iter(())
    return next((str(value) for value in ids if _fits(NAME, value)), "")
