"""``/v1/batches``: lines of an input file answered one by one, into an output file and an error file."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox import chat, embeddings, files, moderations, responses
from sandbox.call import Call, call_of, state_of
from sandbox.errors import ApiError, Json, bad_request
from sandbox.paging import page
from sandbox.response_body import usage
from sandbox.state import State, StoredBatch
from sandbox.validation import METADATA, Field, check

Answer = Callable[[State, Call], Json]
ANSWERS: dict[str, Answer] = {
    "/v1/responses": lambda state, call: responses.make(state, call).body,
    "/v1/chat/completions": lambda state, call: chat.make(call),
    "/v1/embeddings": lambda state, call: embeddings.make(call),
    "/v1/moderations": lambda state, call: moderations.make(call),
}
MOST_LINES = 50_000
LINES_AT_A_TIME = 50
DAY = 24 * 3600
ENDED = ("completed", "failed", "cancelled", "expired")
FIELDS = {
    "input_file_id": Field("string", required=True),
    "endpoint": Field("string", required=True, choices=tuple(ANSWERS)),
    "completion_window": Field("string", required=True, choices=("24h",)),
    "metadata": METADATA,
    "output_expires_after": Field("object"),
}


async def create(request: web.Request) -> web.Response:
    state, call = state_of(request), call_of(request)
    check(call.body, FIELDS)
    source = state.files.find(call.project, call.body["input_file_id"], "input_file_id")
    if source.body["purpose"] != "batch":
        raise bad_request("The input file of a batch must have the purpose 'batch'.", "input_file_id")
    stored = state.batches.put(StoredBatch(call.project, _begin(call.body)))
    state.tasks.start(work(state, stored, source.content, failing=call.fails_with("failed") is not None))
    return web.json_response(stored.body)


def _begin(body: Json) -> Json:
    now = int(time.time())
    return {
        "id": "batch_" + secrets.token_hex(16),
        "object": "batch",
        "endpoint": body["endpoint"],
        "input_file_id": body["input_file_id"],
        "completion_window": body["completion_window"],
        "status": "validating",
        "created_at": now,
        "expires_at": now + DAY,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": body.get("metadata") or {},
    }


@dataclass
class Results:
    """What came of the lines so far."""

    output: list[Json] = field(default_factory=list)
    errors: list[Json] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0

    def add(self, custom_id: str, status: int, body: Json) -> None:
        answer = {"status_code": status, "request_id": "req_" + secrets.token_hex(16), "body": body}
        row = {"id": "batch_req_" + secrets.token_hex(12), "custom_id": custom_id, "response": answer, "error": None}
        (self.output if status == 200 else self.errors).append(row)
        used = body.get("usage") or {}
        self.input_tokens += used.get("input_tokens", used.get("prompt_tokens", 0))
        self.output_tokens += used.get("output_tokens", used.get("completion_tokens", 0))

    def counts(self, total: int) -> Json:
        return {"total": total, "completed": len(self.output), "failed": len(self.errors)}


async def work(state: State, stored: StoredBatch, content: bytes, failing: bool) -> None:
    """The life of a batch, a third of it in validation; its webhook follows its end. A cancelled one stops."""
    seconds = state.settings.batch_seconds
    await asyncio.sleep(seconds / 3)
    if stored.body["status"] != "validating":
        return
    lines, problems = read_lines(content, stored.body["endpoint"])
    if failing:
        problems = [_problem("token_limit_exceeded", "Enqueued token limit reached for this model.", None)]
    if problems:
        stored.body = stored.body | {"errors": {"object": "list", "data": problems}}
        _end(state, stored, "failed")
        return
    _move(stored, "in_progress", request_counts=Results().counts(len(lines)), model=lines[0]["body"].get("model"))
    await asyncio.sleep(seconds / 3)
    results = await answer_lines(state, stored, lines)
    if stored.body["status"] != "in_progress":
        return
    _move(stored, "finalizing")
    await asyncio.sleep(seconds / 3)
    if stored.body["status"] == "finalizing":
        _save(state, stored, results)
        _end(state, stored, "completed")


def read_lines(content: bytes, endpoint: str) -> tuple[list[Json], list[Json]]:
    """The requests of an input file, and what is wrong with it; one of the two is empty."""
    rows = content.splitlines()
    if not any(row.strip() for row in rows):
        return [], [_problem("empty_file", "The input file is empty.", None)]
    if len(rows) > MOST_LINES:
        return [], [_problem("too_many_tasks", f"A batch holds {MOST_LINES} lines at most.", None)]
    lines: list[Json] = []
    problems: list[Json] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        line, problem = _read_line(row, endpoint, seen)
        if problem is not None:
            problems.append(_problem(*problem, number))
        elif line is not None:
            lines.append(line)
    return ([], problems) if problems else (lines, [])


def _read_line(row: bytes, endpoint: str, seen: set[str]) -> tuple[Json | None, tuple[str, str] | None]:
    if not row.strip():
        return None, None
    try:
        line: Any = json.loads(row)
    except ValueError:
        return None, ("invalid_json_line", "This line is not parseable as valid JSON.")
    if not isinstance(line, dict) or not isinstance(line.get("body"), dict):
        return None, ("missing_required_parameter", "The field 'body' must be an object.")
    if not isinstance(line.get("custom_id"), str):
        return None, ("missing_required_parameter", "The field 'custom_id' must be a string.")
    if line["custom_id"] in seen:
        return None, ("duplicate_custom_id", f"The custom_id '{line['custom_id']}' is used twice.")
    seen.add(line["custom_id"])
    if line.get("method") != "POST" or line.get("url") != endpoint:
        return None, ("mismatched_endpoint", f"Every line must be a POST to {endpoint}.")
    return line, None


def _problem(code: str, message: str, line: int | None) -> Json:
    return {"code": code, "message": message, "param": None, "line": line}


async def answer_lines(state: State, stored: StoredBatch, lines: list[Json]) -> Results:
    """Answer all lines, letting others have their turn in between; stops where the batch was cancelled."""
    results = Results()
    answer = ANSWERS[stored.body["endpoint"]]
    for number, line in enumerate(lines):
        if number % LINES_AT_A_TIME == 0:
            await asyncio.sleep(0)
            if stored.body["status"] != "in_progress":
                break
        call = Call("", project=stored.project, body=line["body"])
        try:
            results.add(line["custom_id"], 200, answer(state, call))
        except ApiError as error:
            results.add(line["custom_id"], error.status, error.body())
        stored.body = stored.body | {"request_counts": results.counts(len(lines))}
    return results


def _save(state: State, stored: StoredBatch, results: Results) -> None:
    """Write the files. The output is in another order than the input: rows are told apart by custom_id."""
    for name, rows in (("output_file_id", results.output[::-1]), ("error_file_id", results.errors)):
        if rows:
            content = "".join(json.dumps(row) + "\n" for row in rows).encode()
            kept = files.keep(state, stored.project, f"{stored.id}_{name[:-8]}.jsonl", content, "batch_output")
            stored.body = stored.body | {name: kept.id}
    stored.body = stored.body | {"usage": usage(results.input_tokens, results.output_tokens)}


def _move(stored: StoredBatch, status: str, **changes: Any) -> None:
    stored.body = stored.body | {"status": status, f"{status}_at": int(time.time())} | changes


def _end(state: State, stored: StoredBatch, status: str) -> None:
    _move(stored, status)
    state.deliveries.announce(stored.project, f"batch.{status}", {"id": stored.id})


async def get(request: web.Request) -> web.Response:
    return web.json_response(_find(request).body)


async def list_batches(request: web.Request) -> web.Response:
    kept = state_of(request).batches.of(call_of(request).project)
    return page(request, [stored.body for stored in kept])


async def cancel(request: web.Request) -> web.Response:
    """Cancelling for a moment, then cancelled; what has ended can't be."""
    state, stored = state_of(request), _find(request)
    status = stored.body["status"]
    if status in ENDED:
        raise ApiError(409, f"Cannot cancel a batch with status '{status}'.")
    if status != "cancelling":
        _move(stored, "cancelling")
        state.tasks.start(_cancelled(state, stored))
    return web.json_response(stored.body)


async def _cancelled(state: State, stored: StoredBatch) -> None:
    await asyncio.sleep(state.settings.batch_seconds / 3)
    _end(state, stored, "cancelled")


def _find(request: web.Request) -> StoredBatch:
    return state_of(request).batches.find(call_of(request).project, request.match_info["id"], "batch_id")
