"""The table of routes, and the application around it."""

from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from sandbox import (
    audio,
    batches,
    chat,
    control,
    embeddings,
    files,
    images,
    models,
    moderations,
    projects,
    responses,
    vector_stores,
    webhooks,
)
from sandbox.door import door, stamp
from sandbox.settings import Settings
from sandbox.state import STATE, State

MOST_BYTES = 64 * 1024 * 1024
ROUTES = [
    web.post("/v1/responses", responses.create),
    web.post("/v1/responses/input_tokens", responses.count_input_tokens),
    web.get("/v1/responses/{id}", responses.get),
    web.delete("/v1/responses/{id}", responses.delete),
    web.post("/v1/responses/{id}/cancel", responses.cancel),
    web.get("/v1/responses/{id}/input_items", responses.input_items),
    web.post("/v1/chat/completions", chat.create),
    web.post("/v1/embeddings", embeddings.create),
    web.post("/v1/images/generations", images.create),
    web.post("/v1/moderations", moderations.create),
    web.get("/v1/models", models.list_models),
    web.get("/v1/models/{id}", models.get_model),
    web.post("/v1/files", files.create),
    web.get("/v1/files", files.list_files),
    web.get("/v1/files/{id}", files.get),
    web.get("/v1/files/{id}/content", files.content),
    web.delete("/v1/files/{id}", files.delete),
    web.post("/v1/batches", batches.create),
    web.get("/v1/batches", batches.list_batches),
    web.get("/v1/batches/{id}", batches.get),
    web.post("/v1/batches/{id}/cancel", batches.cancel),
    web.post("/v1/audio/speech", audio.speak),
    web.post("/v1/audio/transcriptions", audio.transcribe),
    web.post("/v1/vector_stores", vector_stores.create),
    web.get("/v1/vector_stores", vector_stores.list_stores),
    web.get("/v1/vector_stores/{id}", vector_stores.get),
    web.post("/v1/vector_stores/{id}", vector_stores.update),
    web.delete("/v1/vector_stores/{id}", vector_stores.delete),
    web.post("/v1/vector_stores/{id}/search", vector_stores.search),
    web.post("/v1/vector_stores/{id}/files", vector_stores.add_file),
    web.get("/v1/vector_stores/{id}/files", vector_stores.list_files),
    web.get("/v1/vector_stores/{id}/files/{file}", vector_stores.get_file),
    web.delete("/v1/vector_stores/{id}/files/{file}", vector_stores.remove_file),
    web.post("/v1/webhook_endpoints", webhooks.create),
    web.get("/v1/webhook_endpoints", webhooks.list_endpoints),
    web.get("/v1/webhook_endpoints/{id}", webhooks.get),
    web.post("/v1/webhook_endpoints/{id}", webhooks.update),
    web.delete("/v1/webhook_endpoints/{id}", webhooks.delete),
    web.post("/v1/webhook_endpoints/{id}/rotate_secret", webhooks.rotate_secret),
    web.post("/v1/webhook_endpoints/{id}/test", webhooks.test),
    web.get("/v1/webhook_event_types", webhooks.event_types),
    web.get("/v1/organization/projects", projects.list_projects),
    web.post("/v1/organization/projects", projects.create),
    web.get("/v1/organization/projects/{id}", projects.get),
    web.post("/v1/organization/projects/{id}", projects.update),
    web.post("/v1/organization/projects/{id}/archive", projects.archive),
    web.post("/_sandbox/faults", control.order_faults),
    web.get("/_sandbox/faults", control.list_faults),
    web.delete("/_sandbox/faults", control.clear_faults),
    web.get("/_sandbox/journal", control.show_journal),
    web.delete("/_sandbox/journal", control.clear_journal),
    web.get("/_sandbox/settings", control.show_settings),
    web.post("/_sandbox/settings", control.change_settings),
    web.get("/_sandbox/keys", control.show_keys),
    web.get("/_sandbox/deliveries", control.show_deliveries),
    web.post("/_sandbox/events", control.send_event),
    web.post("/_sandbox/reset", control.reset),
]


def create_app(settings: Settings, file: Path | None = None) -> web.Application:
    """The sandbox with `settings`; webhook endpoints are kept in `file`. Raises ValueError where that is unreadable."""
    app = web.Application(middlewares=[door], client_max_size=MOST_BYTES)
    app[STATE] = State(settings, file)
    app.add_routes(ROUTES)
    app.on_response_prepare.append(stamp)
    app.cleanup_ctx.append(_work)
    return app


async def _work(app: web.Application) -> AsyncIterator[None]:
    yield
    await app[STATE].stop()
