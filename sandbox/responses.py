"""``/v1/responses``: plain, streamed and in the background."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from sandbox import sse
from sandbox.call import Call, call_of, state_of
from sandbox.errors import Json, bad_request
from sandbox.faults import EVENT_COPIES
from sandbox.paging import page
from sandbox.response_body import begin, check_body, complete, cut_short, fail, unknown_previous, usage
from sandbox.response_events import events_of, with_error
from sandbox.response_input import as_items, text_of
from sandbox.state import State, StoredResponse
from sandbox.text import count_tokens
from sandbox.validation import whole_number

ENDED = ("completed", "failed", "cancelled", "incomplete")


async def create(request: web.Request) -> web.StreamResponse:
    state, call = state_of(request), call_of(request)
    stored = make(state, call)
    if call.body.get("background"):
        if stored.events:
            return await sse.send(request, frames(stored))
        return web.json_response(stored.body)
    await stored.ended.wait()
    if stored.events:
        return await sse.send(request, frames(stored))
    return web.json_response(stored.body)


def make(state: State, call: Call) -> StoredResponse:
    """Check `call` and make its response. One in the background is queued; any other has ended on return."""
    body = call.body
    check_body(body)
    previous = body.get("previous_response_id")
    if previous and state.responses.get(call.project, previous) is None:
        raise unknown_previous(previous)
    begun = begin(body)
    stored = StoredResponse(call.project, begun, as_items(body.get("input")), call.size)
    stored.copies = EVENT_COPIES[fault.kind] if (fault := call.fails_with(*EVENT_COPIES)) else 1
    ended = outcome(begun, call)
    if body.get("stream"):
        ended, stored.events = streamed(begun, ended, call)
    if body.get("background"):
        state.responses.put(stored)
        state.tasks.start(work(state, stored, ended))
        return stored
    stored.body = ended
    stored.ended.set()
    if begun["store"]:
        state.responses.put(stored)
    return stored


def streamed(begun: Json, ended: Json, call: Call) -> tuple[Json, list[Json]]:
    """The last state and the events that lead to it, through an error where a fault orders one."""
    events = events_of(begun, ended)
    broken = call.fails_with("stream_error")
    if broken is None:
        return ended, events
    failed = fail(begun, text=broken.message)
    return failed, with_error(events, broken.events, failed)


def outcome(begun: Json, call: Call) -> Json:
    """The last state: completed, unless a fault orders otherwise."""
    failing = call.fails_with("failed")
    if failing is not None:
        return fail(begun, text=failing.message)
    if call.fails_with("incomplete"):
        return cut_short(begun, call.body)
    return complete(begun, call.body)


async def work(state: State, stored: StoredResponse, ended: Json) -> None:
    """The life of a background response, a third of it in the queue; its webhook follows its end."""
    seconds = state.settings.background_seconds
    await asyncio.sleep(seconds / 3)
    if stored.body["status"] != "queued":
        return
    stored.body = stored.body | {"status": "in_progress"}
    await asyncio.sleep(seconds * 2 / 3)
    if stored.body["status"] == "in_progress":
        finish(state, stored, ended)


def finish(state: State, stored: StoredResponse, ended: Json) -> None:
    stored.body = ended
    stored.ended.set()
    if stored.copies:
        state.deliveries.announce(stored.project, f"response.{ended['status']}", {"id": stored.id}, stored.copies)


async def frames(stored: StoredResponse, after: int = -1) -> AsyncIterator[bytes]:
    """The stream of `stored` past event number `after`. In the background, output comes when it has ended."""
    for event in list(stored.events):
        if event["type"] not in ("response.created", "response.queued", "response.in_progress"):
            await stored.ended.wait()
        if event["sequence_number"] > after and stored.body["status"] != "cancelled":
            yield sse.named(event)


async def get(request: web.Request) -> web.StreamResponse:
    stored = find(request)
    if request.query.get("stream") != "true":
        return web.json_response(stored.body)
    if not stored.events:
        raise bad_request("Only a response that was created with stream=true can be streamed again.", "stream")
    given = request.query.get("starting_after")
    after = -1 if given is None else whole_number(given)
    if after is None:
        raise bad_request("Invalid 'starting_after': expected a whole number.", "starting_after", "invalid_type")
    return await sse.send(request, frames(stored, after))


async def delete(request: web.Request) -> web.Response:
    stored = find(request)
    state_of(request).responses.drop(stored.id)
    return web.json_response({"id": stored.id, "object": "response", "deleted": True})


async def cancel(request: web.Request) -> web.Response:
    """Idempotent; what has ended stays as it is."""
    stored = find(request)
    if not stored.body["background"]:
        raise bad_request("Cannot cancel a synchronous response.", "response_id")
    if stored.body["status"] not in ENDED:
        finish(state_of(request), stored, stored.body | {"status": "cancelled"})
    return web.json_response(stored.body)


async def input_items(request: web.Request) -> web.Response:
    return page(request, find(request).input_items)


async def count_input_tokens(request: web.Request) -> web.Response:
    body = call_of(request).body
    counted = usage(count_tokens(text_of(body.get("input")) + (body.get("instructions") or "")), 0)
    return web.json_response({"object": "response.input_tokens", "input_tokens": counted["input_tokens"]})


def find(request: web.Request) -> StoredResponse:
    call = call_of(request)
    return state_of(request).responses.find(call.project, request.match_info["id"], "response_id")
