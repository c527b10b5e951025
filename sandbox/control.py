"""``/_sandbox``: orders to fail, settings, and the witness of what happened. For this machine only, without a key."""

import ipaddress
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import wraps
from typing import Any

from aiohttp import web

from sandbox import faults, keys
from sandbox.call import state_of
from sandbox.validation import whole_number

MOST_COPIES = 100
DEFAULT_PROJECT = "proj_sandbox"
Control = Callable[[web.Request], Awaitable[Any]]
EVENT_FIELDS: dict[str, type | tuple[type, ...]] = {
    "type": str,
    "data": dict,
    "project": str,
    "copies": int,
    "forge": bool,
    "timestamp_offset": (int, float),
}


def control(view: Control) -> Callable[[web.Request], Awaitable[web.Response]]:
    """What `view` returns becomes JSON; its ValueError becomes a 400 with the sentence as ``error``."""

    @wraps(view)
    async def answer(request: web.Request) -> web.Response:
        if not _is_local(request.remote):
            return web.json_response({"error": "The controls answer to this machine only."}, status=403)
        try:
            return web.json_response(await view(request))
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)

    return answer


def _is_local(address: str | None) -> bool:
    return address is not None and ipaddress.ip_address(address).is_loopback


async def _body(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise ValueError("The body must be JSON.") from error


@control
async def order_faults(request: web.Request) -> Any:
    given = await _body(request)
    orders = [faults.parse(order) for order in (given if isinstance(given, list) else [given])]
    for order in orders:
        state_of(request).faults.add(order)
    return _waiting(request)


@control
async def list_faults(request: web.Request) -> Any:
    return _waiting(request)


@control
async def clear_faults(request: web.Request) -> Any:
    state_of(request).faults.waiting.clear()
    return _waiting(request)


def _waiting(request: web.Request) -> Any:
    return {"faults": [asdict(fault) for fault in state_of(request).faults.waiting], "kinds": faults.kinds()}


@control
async def show_journal(request: web.Request) -> Any:
    """Rows numbered above ``after``, of one ``path`` where it is given."""
    after = whole_number(request.query.get("after", "0"))
    if after is None:
        raise ValueError("after must be the number of a row.")
    return state_of(request).journal.as_json(after, request.query.get("path"))


@control
async def clear_journal(request: web.Request) -> Any:
    state_of(request).journal.clear()
    return state_of(request).journal.as_json()


@control
async def show_settings(request: web.Request) -> Any:
    return state_of(request).settings.as_json()


@control
async def change_settings(request: web.Request) -> Any:
    changes = await _body(request)
    if not isinstance(changes, dict):
        raise ValueError('Settings are an object such as {"latency_seconds": 0.05}.')
    state_of(request).settings.update(changes)
    return state_of(request).settings.as_json()


@control
async def show_keys(request: web.Request) -> Any:
    return {"keys": keys.as_json()}


@control
async def show_deliveries(request: web.Request) -> Any:
    return {"data": [delivery.as_json() for delivery in state_of(request).deliveries.sent]}


@control
async def send_event(request: web.Request) -> Any:
    """Send an event now; `EVENT_FIELDS` are what it may have, ``type`` and ``data`` what it must."""
    event = _event(await _body(request))
    project = event.pop("project", DEFAULT_PROJECT)
    sent = state_of(request).deliveries.announce(project, event.pop("type"), event.pop("data"), **event)
    return {"data": [delivery.as_json() for delivery in sent]}


def _event(event: Any) -> dict[str, Any]:
    if not isinstance(event, dict) or not {"type", "data"} <= event.keys():
        raise ValueError('An event is an object such as {"type": "response.completed", "data": {"id": "resp_1"}}.')
    for name, value in event.items():
        if name not in EVENT_FIELDS:
            raise ValueError(f"An event has no field {name!r}. Fields: {', '.join(EVENT_FIELDS)}.")
        if not isinstance(value, EVENT_FIELDS[name]) or (isinstance(value, bool) and name != "forge"):
            raise ValueError(f"The event's {name} cannot be {value!r}.")
    if not 1 <= event.get("copies", 1) <= MOST_COPIES:
        raise ValueError(f"copies must be from 1 to {MOST_COPIES}.")
    return event


@control
async def reset(request: web.Request) -> Any:
    state_of(request).reset()
    return {"reset": True}
