"""``/v1/files``: upload, list, read, delete."""

import secrets
import time

from aiohttp import web

from sandbox.call import call_of, state_of
from sandbox.errors import Json, bad_request, missing_parameter
from sandbox.paging import page
from sandbox.state import State, StoredFile
from sandbox.validation import whole_number, wrong_value

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
KNOWN = ("file", "purpose", "expires_after[anchor]", "expires_after[seconds]")
SHORTEST, LONGEST = 3600, 30 * 24 * 3600


async def create(request: web.Request) -> web.Response:
    form = await _form(request)
    upload = form.get("file")
    if not isinstance(upload, web.FileField):
        raise missing_parameter("file")
    purpose = form.get("purpose")
    if not isinstance(purpose, str):
        raise missing_parameter("purpose")
    if purpose not in PURPOSES:
        raise wrong_value("purpose", purpose, PURPOSES)
    for name in form:
        if name not in KNOWN:
            raise bad_request(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    lifetime = _lifetime(form.get("expires_after[seconds]"))
    content = upload.file.read()
    stored = keep(state_of(request), call_of(request).project, upload.filename, content, purpose, lifetime)
    return web.json_response(stored.body)


async def _form(request: web.Request) -> dict[str, str | bytes | bytearray | web.FileField]:
    if not request.content_type.startswith("multipart/"):
        raise bad_request("A file is uploaded as multipart/form-data.")
    try:
        return dict(await request.post())
    except ValueError as error:
        raise bad_request("We could not parse the multipart form.") from error


def _lifetime(text: object) -> int | None:
    if text is None:
        return None
    seconds = whole_number(text) if isinstance(text, str) else None
    if seconds is None or not SHORTEST <= seconds <= LONGEST:
        name = "expires_after.seconds"
        raise bad_request(f"Invalid '{name}': expected {SHORTEST} to {LONGEST} seconds.", name, "invalid_value")
    return seconds


def keep(
    state: State, project: str, filename: str, content: bytes, purpose: str, lifetime: int | None = None
) -> StoredFile:
    """Put a file on the shelf; `lifetime` is in seconds and only said, not kept."""
    now = int(time.time())
    body: Json = {
        "id": "file-" + secrets.token_hex(12),
        "object": "file",
        "bytes": len(content),
        "created_at": now,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
    }
    if lifetime is not None:
        body["expires_at"] = now + lifetime
    return state.files.put(StoredFile(project, body, content))


async def list_files(request: web.Request) -> web.Response:
    purpose = request.query.get("purpose")
    kept = [stored.body for stored in state_of(request).files.of(call_of(request).project)]
    rows = [body for body in kept if purpose in (None, body["purpose"])]
    return page(request, rows, limit=10_000, most=10_000)


async def get(request: web.Request) -> web.Response:
    return web.json_response(_find(request).body)


async def content(request: web.Request) -> web.Response:
    return web.Response(body=_find(request).content, content_type="application/octet-stream")


async def delete(request: web.Request) -> web.Response:
    stored = _find(request)
    state_of(request).files.drop(stored.id)
    return web.json_response({"id": stored.id, "object": "file", "deleted": True})


def _find(request: web.Request) -> StoredFile:
    return state_of(request).files.find(call_of(request).project, request.match_info["id"], "file_id")
