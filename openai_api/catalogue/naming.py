"""What an operation is called, made from its method and path, so that a name says the same whatever a document calls it."""

from __future__ import annotations

import re

# What a POST does where the last part of its path is no collection.
VERBS = {
    "accept", "activate", "archive", "cancel", "compact", "complete", "deactivate", "fork", "hangup", "pause", "refer",
    "reject", "remix", "resume", "rotate_secret", "run", "search", "submit_tool_outputs", "test", "validate",
}  # fmt: skip
# There is one of each, which is read and set.
SETTINGS = {"data_retention", "hosted_tool_permissions", "model_permissions", "service_tier_settings", "spend_limit"}
SAME = SETTINGS | {"audio", "alpha", "costs", "usage", "chatkit", "live", "safety"}
# Ids that stand in logs and code from before, or that read better than what the path gives.
OURS = {
    ("POST", "/images/generations"): "create_image",
    ("GET", "/responses/{response_id}/input_items"): "list_input_items",
    ("POST", "/responses/input_tokens"): "count_input_tokens",
    ("POST", "/files"): "upload_file",
    ("GET", "/files/{file_id}/content"): "download_file",
    ("POST", "/webhook_endpoints/{webhook_endpoint_id}/rotate_secret"): "rotate_webhook_secret",
    ("POST", "/audio/speech"): "create_speech",
    ("POST", "/audio/transcriptions"): "create_transcription",
    ("POST", "/audio/translations"): "create_translation",
    ("POST", "/images/edits"): "edit_image",
    ("POST", "/images/variations"): "vary_image",
    ("POST", "/uploads/{upload_id}/parts"): "add_upload_part",
    ("POST", "/evals/{eval_id}/runs/{run_id}"): "cancel_eval_run_at_once",
    ("POST", "/threads/runs"): "create_thread_and_run",
    ("GET", "/organization/external_storage"): "list_external_storage",
    ("POST", "/videos/edits"): "edit_video",
    ("POST", "/videos/extensions"): "extend_video",
}
WORDS = {"api": "API", "mtls": "mTLS", "chatkit": "ChatKit"}


def id_of(method: str, path: str) -> str:
    """A name such as `list_batches` or `cancel_fine_tuning_job`: lower case and _, at most 80 characters."""
    if (method, path) in OURS:
        return OURS[method, path]
    parts = [part for part in path.strip("/").split("/") if part != "organization"]
    on_one = parts[-1].startswith("{")
    names = [part for part in parts if not part.startswith("{")]
    if method == "POST" and not on_one and names[-1] in VERBS:
        return "_".join([names[-1], *_owners(names[:-1])])[:80]
    if method == "GET" and not on_one and singular(names[-1]) != names[-1]:
        return "_".join(["list", *_owners(names[:-1]), names[-1]])[:80]
    return "_".join([_verb(method, on_one, names[-1]), *_owners(names)])[:80]


def title_of(id: str) -> str:
    """`list_batches` as a reader sees it: List batches."""
    text = " ".join(WORDS.get(word, word) for word in id.split("_"))
    return text[:1].upper() + text[1:]


def singular(word: str) -> str:
    if word in SAME or not word.endswith("s") or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if re.search(r"(ch|sh|x|ss)es$", word) else word[:-1]


def _owners(names: list[str]) -> list[str]:
    return [singular(name) for name in names]


def _verb(method: str, on_one: bool, last: str) -> str:
    if method == "GET":
        return "get"
    if method == "DELETE":
        return "delete"
    return "update" if on_one or last in SETTINGS else "create"
