"""``/v1/webhook_endpoints`` and ``/v1/webhook_event_types``."""

from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from sandbox.call import call_of, state_of
from sandbox.deliveries import Delivery, new_event
from sandbox.endpoints import Endpoint
from sandbox.errors import ApiError, Json, bad_request
from sandbox.paging import page
from sandbox.validation import Field, check, wrong_value

EVENT_TYPES = (
    "batch.completed",
    "batch.failed",
    "batch.expired",
    "batch.cancelled",
    "response.completed",
    "response.failed",
    "response.cancelled",
    "response.incomplete",
    "eval.run.succeeded",
    "eval.run.failed",
    "eval.run.canceled",
    "fine_tuning.job.succeeded",
    "fine_tuning.job.failed",
    "fine_tuning.job.cancelled",
    "realtime.call.incoming",
    "video.completed",
    "video.failed",
    "agent.environment.ready",
    "agent.environment.failed",
    "agent.environment.suspended",
    "agent.environment.expired",
    "agent.session.created",
    "agent.session.action_required",
    "agent.session.in_progress",
    "agent.session.idle",
    "agent.session.failed",
    "safety.alert.created",
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
CREATED = {
    "name": Field("string", required=True, longest=256),
    "url": Field("string", required=True, longest=2048),
    "event_types": Field("array", required=True),
}
CHANGED = {name: field._replace(required=False) for name, field in CREATED.items()}
ROTATED = {"keep_old_secret_active_for_24_hours": Field("boolean")}
TESTED = {"event_type": Field("string", required=True, choices=EVENT_TYPES)}
SIP: Json = {"call_id": "rtc_sample", "sip_headers": []}
SESSION: Json = {"id": "asess_sample", "environment_type": "container"}
SAMPLES: dict[str, Json] = {
    "realtime.call.incoming": SIP,
    "agent.session.created": SESSION,
    "agent.session.failed": SESSION,
    "agent.session.action_required": {"id": "asess_sample", "required_action": {"type": "function_call"}},
}


async def create(request: web.Request) -> web.Response:
    state, call = state_of(request), call_of(request)
    check(call.body, CREATED)
    _check_values(call.body)
    endpoint = state.endpoints.put(Endpoint(call.project, **call.body))
    state.endpoints.save()
    return web.json_response(endpoint.as_json(with_secret=True))


def _check_values(body: Json) -> None:
    for index, type in enumerate(body.get("event_types") or []):
        if type not in EVENT_TYPES:
            raise wrong_value(f"event_types[{index}]", str(type), EVENT_TYPES)
    if body.get("event_types") == []:
        raise bad_request("Invalid 'event_types': expected at least one.", "event_types", "empty_array")
    if body.get("url") is not None and not reachable(body["url"]):
        raise bad_request("Invalid 'url': expected an HTTPS URL (here also HTTP on loopback).", "url", "invalid_value")


def reachable(url: str) -> bool:
    """OpenAI wants HTTPS; the sandbox also takes plain HTTP on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))


async def list_endpoints(request: web.Request) -> web.Response:
    kept = state_of(request).endpoints.of(call_of(request).project)
    return page(request, [endpoint.as_json() for endpoint in kept])


async def get(request: web.Request) -> web.Response:
    return web.json_response(_find(request).as_json())


async def update(request: web.Request) -> web.Response:
    endpoint, body = _find(request), call_of(request).body
    check(body, CHANGED)
    _check_values(body)
    endpoint.change({name: value for name, value in body.items() if value is not None})
    state_of(request).endpoints.save()
    return web.json_response(endpoint.as_json())


async def delete(request: web.Request) -> web.Response:
    endpoint, endpoints = _find(request), state_of(request).endpoints
    endpoints.drop(endpoint.id)
    endpoints.save()
    return web.json_response({"id": endpoint.id, "object": "webhook_endpoint.deleted", "deleted": True})


async def rotate_secret(request: web.Request) -> web.Response:
    endpoint, body = _find(request), call_of(request).body
    check(body, ROTATED)
    endpoint.rotate(bool(body.get("keep_old_secret_active_for_24_hours")))
    state_of(request).endpoints.save()
    return web.json_response(endpoint.as_json(with_secret=True))


async def test(request: web.Request) -> web.Response:
    """One sample, tried once. Raises a 400 where nobody answers at the URL."""
    endpoint, body = _find(request), call_of(request).body
    check(body, TESTED)
    type = body["event_type"]
    delivery = Delivery(endpoint.id, endpoint.url, new_event(type, sample(type)))
    deliveries = state_of(request).deliveries
    deliveries.sent.append(delivery)
    attempt = await deliveries.attempt(delivery, endpoint)
    delivery.done = True
    if attempt.status is None:
        raise ApiError(400, f"The endpoint could not be reached: {attempt.error}.", code="webhook_endpoint_unreachable")
    return web.json_response(
        {
            "object": "webhook_endpoint.test",
            "webhook_endpoint_id": endpoint.id,
            "event_type": type,
            "status_code": attempt.status,
            "success": True,
        }
    )


def sample(type: str) -> dict[str, Any]:
    return SAMPLES.get(type, {"id": f"{type.split('.')[0][:4]}_sample"})


async def event_types(request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": list(EVENT_TYPES)})


def _find(request: web.Request) -> Endpoint:
    return state_of(request).endpoints.find(call_of(request).project, request.match_info["id"], "webhook_endpoint_id")
