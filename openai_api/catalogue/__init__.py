"""The operations of OpenAI's API as data. Adding one is one line here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote


@dataclass(frozen=True)
class Operation:
    """One endpoint. `path` is relative to the base URL, with {names} to fill in; `permission` is the scope a key needs."""

    id: str
    title: str
    entity: str
    method: str
    path: str
    permission: str

    def fill(self, values: dict[str, str]) -> str:
        """The path with every name filled in and escaped, so that a value can never change which endpoint is called."""
        return self.path.format(**{name: quote(value, safe="") for name, value in values.items()})


_ROWS = (
    Operation("list_models", "List models", "Model", "GET", "/models", "api.model.read"),
    Operation("get_model", "Get model", "Model", "GET", "/models/{model}", "api.model.read"),
    Operation("create_response", "Create response", "Response", "POST", "/responses", "api.responses.write"),
    Operation("get_response", "Get response", "Response", "GET", "/responses/{response_id}", "api.responses.read"),
    Operation(
        "delete_response", "Delete response", "Response", "DELETE", "/responses/{response_id}", "api.responses.write"
    ),
    Operation(
        "cancel_response",
        "Cancel response",
        "Response",
        "POST",
        "/responses/{response_id}/cancel",
        "api.responses.write",
    ),
    Operation(
        "list_input_items",
        "List input items",
        "Response",
        "GET",
        "/responses/{response_id}/input_items",
        "api.responses.read",
    ),
    Operation(
        "create_chat_completion",
        "Create chat completion",
        "Chat completion",
        "POST",
        "/chat/completions",
        "model.request",
    ),
    Operation("create_embedding", "Create embedding", "Embedding", "POST", "/embeddings", "model.request"),
    Operation("create_image", "Create image", "Image", "POST", "/images/generations", "model.request"),
    Operation("create_moderation", "Create moderation", "Moderation", "POST", "/moderations", "model.request"),
    Operation("list_files", "List files", "File", "GET", "/files", "api.files.read"),
    Operation("get_file", "Get file", "File", "GET", "/files/{file_id}", "api.files.read"),
    Operation("upload_file", "Upload file", "File", "POST", "/files", "api.files.write"),
    Operation("delete_file", "Delete file", "File", "DELETE", "/files/{file_id}", "api.files.write"),
    Operation("download_file", "Download file", "File", "GET", "/files/{file_id}/content", "api.files.read"),
    Operation("list_batches", "List batches", "Batch", "GET", "/batches", "api.batch.read"),
    Operation("get_batch", "Get batch", "Batch", "GET", "/batches/{batch_id}", "api.batch.read"),
    Operation("create_batch", "Create batch", "Batch", "POST", "/batches", "api.batch.write"),
    Operation("cancel_batch", "Cancel batch", "Batch", "POST", "/batches/{batch_id}/cancel", "api.batch.write"),
    Operation(
        "list_webhook_endpoints",
        "List webhook endpoints",
        "Webhook endpoint",
        "GET",
        "/webhook_endpoints",
        "api.webhooks.read",
    ),
    Operation(
        "create_webhook_endpoint",
        "Create webhook endpoint",
        "Webhook endpoint",
        "POST",
        "/webhook_endpoints",
        "api.webhooks.write",
    ),
    Operation(
        "update_webhook_endpoint",
        "Update webhook endpoint",
        "Webhook endpoint",
        "POST",
        "/webhook_endpoints/{webhook_endpoint_id}",
        "api.webhooks.write",
    ),
    Operation(
        "delete_webhook_endpoint",
        "Delete webhook endpoint",
        "Webhook endpoint",
        "DELETE",
        "/webhook_endpoints/{webhook_endpoint_id}",
        "api.webhooks.write",
    ),
    Operation(
        "rotate_webhook_secret",
        "Rotate webhook secret",
        "Webhook endpoint",
        "POST",
        "/webhook_endpoints/{webhook_endpoint_id}/rotate_secret",
        "api.webhooks.write",
    ),
    Operation(
        "test_webhook_endpoint",
        "Test webhook endpoint",
        "Webhook endpoint",
        "POST",
        "/webhook_endpoints/{webhook_endpoint_id}/test",
        "api.webhooks.write",
    ),
    Operation(
        "list_webhook_event_types",
        "List webhook event types",
        "Webhook endpoint",
        "GET",
        "/webhook_event_types",
        "api.webhooks.read",
    ),
)
OPERATIONS = {row.id: row for row in _ROWS}


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))


_PATTERNS = [(row.method, _pattern(row.path), row.id) for row in _ROWS]


@lru_cache(maxsize=4096)
def find(method: str, path: str) -> str:
    """The id of the operation that a request is, or its method and the first part of its path where it is none of ours."""
    for known, pattern, operation in _PATTERNS:
        if known == method and pattern.fullmatch(path):
            return operation
    return f"{method} {'/'.join(path.split('/')[:2])}"[:80]
