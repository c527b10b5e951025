"""What every request under ``/v1`` passes, in this order: journal, key, limits, faults, headers, then its handler."""

import asyncio
import json
import secrets
import time

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.call import CALL, Call, state_of
from sandbox.errors import ApiError, Json, bad_request
from sandbox.faults import Fault, strike
from sandbox.keys import fault_of
from sandbox.refusals import REFUSALS

PREFIX = "/v1/"
CLIENT_ID = "X-Client-Request-Id"
MOST_CLIENT_ID = 512


@web.middleware
async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
    if not request.path.startswith(PREFIX):
        return await _answer(request, handler)
    journal = state_of(request).journal
    call = request[CALL] = Call("req_" + secrets.token_hex(16))
    entry = journal.arrive(request.method, request.path, request.headers.get(CLIENT_ID))
    entry.request_id = call.request_id
    status: int | None = None
    try:
        response = await _answer(request, lambda inner: _admit(inner, call, handler))
        status = None if request.transport is None or request.transport.is_closing() else response.status
        return response
    finally:
        entry.model = call.model
        entry.fault = call.fault.kind if call.fault else None
        journal.leave(entry, status)


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal leaves in OpenAI's shape, aiohttp's own included."""
    try:
        return await handler(request)
    except ApiError as error:
        return error.response()
    except web.HTTPException as error:
        return _in_shape(request, error).response()
    except RecursionError:
        return bad_request("The JSON body is nested too deeply.").response()


def _in_shape(request: web.Request, error: web.HTTPException) -> ApiError:
    if error.status == 404:
        return ApiError(404, f"Invalid URL ({request.method} {request.path})")
    if error.status == 405:
        return ApiError(405, f"Not allowed to {request.method} on {request.path}.", code="method_not_supported")
    if error.status == 413:
        return ApiError(413, "The request is larger than the sandbox takes.", code="request_too_large")
    return ApiError(error.status, error.reason)


async def _admit(request: web.Request, call: Call, handler: Handler) -> web.StreamResponse:
    state = state_of(request)
    raw = b"" if request.content_type.startswith("multipart/") else await request.read()
    call.size, parsed = len(raw), _parse(raw)
    call.body = parsed or {}
    key = _identify(request, call)
    window = state.window(call.project)
    try:
        window.admit(_tokens(raw, call.body), call.model)
    finally:
        call.limits = window.headers()
    fault = state.faults.take(request.method, request.path, call.body)
    fault = fault or fault_of(key, request.method, request.path, call.body)
    response = await _strike(fault, request, call)
    if response is not None:
        return response
    _check_headers(request)
    if raw and parsed is None:
        raise bad_request("We could not parse the JSON body of your request.")
    if state.settings.latency_seconds:
        await asyncio.sleep(state.settings.latency_seconds)
    return await handler(request)


def _parse(raw: bytes) -> Json | None:
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _tokens(raw: bytes, body: Json) -> int:
    """Charged in advance: what comes in, and what may go out."""
    wanted = body.get("max_output_tokens") or body.get("max_completion_tokens") or body.get("max_tokens")
    return len(raw) // 4 + (max(0, wanted) if isinstance(wanted, int) else 0)


def _identify(request: web.Request, call: Call) -> str:
    """The key. Organization and project are taken over from the headers where they are given."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise ApiError(401, "Missing bearer authentication in header")
    if not key.startswith("sk-"):
        raise ApiError(401, f"Incorrect API key provided: {_masked(key)}.", code="invalid_api_key")
    call.organization = _named(request, "OpenAI-Organization", "mismatched_organization") or call.organization
    call.project = _named(request, "OpenAI-Project", "mismatched_project") or call.project
    return key.strip()


def _named(request: web.Request, header: str, refusal: str) -> str:
    """The id in `header`. It is given back in a header, so it must be fit for one."""
    value = request.headers.get(header, "").strip()
    if not value.isascii() or len(value) > MOST_CLIENT_ID:
        raise REFUSALS[refusal].error()
    return value


def _masked(key: str) -> str:
    return "*" * max(0, len(key) - 4) + key[-4:] if len(key) > 8 else "*" * len(key)


async def _strike(fault: Fault | None, request: web.Request, call: Call) -> web.StreamResponse | None:
    if fault is None:
        return None
    call.fault = fault
    if not fault.headers:
        call.limits = {}
    return await strike(fault, request, call.model)


def _check_headers(request: web.Request) -> None:
    if request.headers.get("OpenAI-Organization") == "org-wrong":
        raise REFUSALS["mismatched_organization"].error()
    if request.headers.get("OpenAI-Project") == "proj_wrong":
        raise REFUSALS["mismatched_project"].error()
    client_id = request.headers.get(CLIENT_ID, "")
    if len(client_id) > MOST_CLIENT_ID or not client_id.isascii():
        raise bad_request(f"{CLIENT_ID} must be ASCII and at most {MOST_CLIENT_ID} characters long.")


async def stamp(request: web.Request, response: web.StreamResponse) -> None:
    """OpenAI's headers, on every answer under ``/v1``, streams and refusals included."""
    call = request.get(CALL)
    if call is None:
        return
    headers = response.headers
    headers["x-request-id"] = call.request_id
    headers["openai-processing-ms"] = str(round((time.monotonic() - call.started) * 1000))
    headers["openai-version"] = "2020-10-01"
    headers["openai-organization"] = call.organization
    headers["openai-project"] = call.project
    for name, value in call.limits.items():
        headers.setdefault(name, value)
