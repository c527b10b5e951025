"""``/v1/vector_stores``: stores, the files in them, and a search that counts words."""

import secrets
import time

from aiohttp import web

from sandbox.call import call_of, state_of
from sandbox.errors import Json, not_found
from sandbox.paging import page
from sandbox.state import StoredVectors
from sandbox.text import keywords
from sandbox.validation import METADATA, Field, check

CHUNKS = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
SHOWN = 2000
FIELDS = {
    "name": Field("string"),
    "description": Field("string"),
    "file_ids": Field("array", longest=500),
    "expires_after": Field("object"),
    "chunking_strategy": Field("object"),
    "metadata": METADATA,
}
CHANGES = {"name": Field("string"), "expires_after": Field("object"), "metadata": METADATA}
FILE_FIELDS = {
    "file_id": Field("string", required=True),
    "attributes": Field("object"),
    "chunking_strategy": Field("object"),
}
SEARCH_FIELDS = {
    "query": Field("string array", required=True),
    "max_num_results": Field("integer", least=1, most=50),
    "filters": Field("object"),
    "ranking_options": Field("object"),
    "rewrite_query": Field("boolean"),
}


async def create(request: web.Request) -> web.Response:
    body = call_of(request).body
    check(body, FIELDS)
    now = int(time.time())
    about = {
        "id": "vs_" + secrets.token_hex(12),
        "object": "vector_store",
        "created_at": now,
        "name": body.get("name") or "",
        "last_active_at": now,
        "metadata": body.get("metadata") or {},
    }
    if body.get("expires_after"):
        about["expires_after"] = body["expires_after"]
    store = StoredVectors(call_of(request).project, about)
    for file_id in body.get("file_ids") or []:
        _put(request, store, str(file_id), {})
    state_of(request).vector_stores.put(store)
    return web.json_response(_shown(store))


async def list_stores(request: web.Request) -> web.Response:
    return page(request, [_shown(store) for store in state_of(request).vector_stores.of(call_of(request).project)])


async def get(request: web.Request) -> web.Response:
    return web.json_response(_shown(_find(request)))


async def update(request: web.Request) -> web.Response:
    store, body = _find(request), call_of(request).body
    check(body, CHANGES)
    store.body |= {name: value for name, value in body.items() if value is not None}
    return web.json_response(_shown(store))


async def delete(request: web.Request) -> web.Response:
    store = _find(request)
    state_of(request).vector_stores.drop(store.id)
    return web.json_response({"id": store.id, "object": "vector_store.deleted", "deleted": True})


async def add_file(request: web.Request) -> web.Response:
    store, body = _find(request), call_of(request).body
    check(body, FILE_FIELDS)
    return web.json_response(_put(request, store, body["file_id"], body.get("attributes") or {}))


async def list_files(request: web.Request) -> web.Response:
    return page(request, list(_find(request).files.values()))


async def get_file(request: web.Request) -> web.Response:
    return web.json_response(_find_file(request, _find(request)))


async def remove_file(request: web.Request) -> web.Response:
    store = _find(request)
    found = _find_file(request, store)
    del store.files[found["id"]]
    return web.json_response({"id": found["id"], "object": "vector_store.file.deleted", "deleted": True})


async def search(request: web.Request) -> web.Response:
    """The files that hold a word of the query; the score is the share of its words that they hold."""
    store, body = _find(request), call_of(request).body
    check(body, SEARCH_FIELDS)
    queries = body["query"] if isinstance(body["query"], list) else [body["query"]]
    wanted = {word.lower() for query in queries for word in keywords(str(query))}
    found = [row for file in store.files.values() if (row := _hit(request, file, wanted))]
    found.sort(key=lambda row: -float(row["score"]))
    answer = {
        "object": "vector_store.search_results.page",
        "search_query": queries,
        "data": found[: body.get("max_num_results") or 10],
        "has_more": False,
        "next_page": None,
    }
    return web.json_response(answer)


def _hit(request: web.Request, file: Json, wanted: set[str]) -> Json | None:
    stored = state_of(request).files.get(call_of(request).project, file["id"])
    if stored is None:
        return None
    text = stored.content[:SHOWN].decode("utf-8", "replace")
    held = wanted & {word.lower() for word in keywords(text)}
    if not held:
        return None
    return {
        "file_id": file["id"],
        "filename": stored.body["filename"],
        "score": round(len(held) / len(wanted), 4),
        "attributes": file["attributes"],
        "content": [{"type": "text", "text": text}],
    }


def _put(request: web.Request, store: StoredVectors, file_id: str, attributes: Json) -> Json:
    stored = state_of(request).files.find(call_of(request).project, file_id, "file_id")
    store.files[file_id] = {
        "id": file_id,
        "object": "vector_store.file",
        "usage_bytes": len(stored.content),
        "created_at": int(time.time()),
        "vector_store_id": store.id,
        "status": "completed",
        "last_error": None,
        "chunking_strategy": CHUNKS,
        "attributes": attributes,
    }
    return store.files[file_id]


def _shown(store: StoredVectors) -> Json:
    """Files are indexed the moment they come, so nothing is ever in progress."""
    count = len(store.files)
    counts = {"in_progress": 0, "completed": count, "failed": 0, "cancelled": 0, "total": count}
    used = sum(file["usage_bytes"] for file in store.files.values())
    return {**store.body, "status": "completed", "usage_bytes": used, "file_counts": counts}


def _find(request: web.Request) -> StoredVectors:
    project = call_of(request).project
    return state_of(request).vector_stores.find(project, request.match_info["id"], "vector_store_id")


def _find_file(request: web.Request, store: StoredVectors) -> Json:
    id = request.match_info["file"]
    if id not in store.files:
        raise not_found(f"No file found with id '{id}' in vector store '{store.id}'.", "file_id")
    return store.files[id]
