"""The events of a streamed response, in OpenAI's order. Usage stands in the last one only."""

from sandbox.errors import Json
from sandbox.response_body import part
from sandbox.text import pieces

ERROR = {"type": "error", "code": "server_is_overloaded", "message": "Our servers are overloaded.", "param": None}


def events_of(begun: Json, ended: Json) -> list[Json]:
    """All events from `begun` (its first state) to `ended` (its last), numbered from 0."""
    working = begun | {"status": "in_progress"}
    events = [{"type": "response.created", "response": begun}]
    if begun["status"] == "queued":
        events.append({"type": "response.queued", "response": begun})
    events.append({"type": "response.in_progress", "response": working})
    for index, item in enumerate(ended["output"]):
        events += _item_events(index, item)
    events.append({"type": f"response.{ended['status']}", "response": ended})
    return numbered(events)


def numbered(events: list[Json]) -> list[Json]:
    return [event | {"sequence_number": number} for number, event in enumerate(events)]


def _item_events(index: int, item: Json) -> list[Json]:
    text = item["content"][0]["text"]
    at = {"item_id": item["id"], "output_index": index, "content_index": 0}
    begun = item | {"status": "in_progress", "content": []}
    deltas = [{"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in pieces(text)]
    return [
        {"type": "response.output_item.added", "output_index": index, "item": begun},
        {"type": "response.content_part.added", **at, "part": part("")},
        *deltas,
        {"type": "response.output_text.done", **at, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part(text)},
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]


def with_error(events: list[Json], after: int, failed: Json) -> list[Json]:
    """`events` broken off after `after` of them by an error event, then the failed response."""
    return numbered([*events[: min(after, len(events) - 1)], ERROR, {"type": "response.failed", "response": failed}])
