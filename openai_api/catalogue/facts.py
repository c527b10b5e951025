"""What is known of the operations and stands in no OpenAPI document: when they end, which header and which scope they need,
what they are filed under. Published up to 21 November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

State = Literal["deprecated", "ending", "read only", "shut down"]


@dataclass(frozen=True)
class Lifecycle:
    """`day` is the last one on which the operation works, or None when only its state is known; `note` is a sentence."""

    state: State
    day: date | None = None
    note: str = ""


# Method ("" is any) and beginning of the path; the first that fits counts.
ENDINGS: tuple[tuple[str, str, Lifecycle], ...] = (
    ("", "/assistants", Lifecycle("shut down", date(2026, 8, 26), "Responses and conversations took its place.")),
    ("", "/threads", Lifecycle("shut down", date(2026, 8, 26), "Responses and conversations took its place.")),
    ("", "/videos", Lifecycle("shut down", date(2026, 9, 24))),
    ("POST", "/images/variations", Lifecycle("shut down", date(2026, 5, 12), "Edit image does more.")),
    (
        "POST",
        "/realtime/sessions",
        Lifecycle("shut down", date(2026, 5, 12), "Create realtime client secret is newer."),
    ),
    ("POST", "/realtime/transcription_sessions", Lifecycle("shut down", date(2026, 5, 12))),
    ("GET", "/evals", Lifecycle("ending", date(2026, 11, 30), "What is there can be read until then.")),
    ("", "/evals", Lifecycle("read only", date(2026, 11, 30), "Nothing new is taken.")),
    ("POST", "/audio/translations", Lifecycle("ending", date(2027, 2, 26))),
    ("POST", "/completions", Lifecycle("deprecated", None, "OpenAI's last models for it ended on 28 September 2026.")),
    ("POST", "/fine_tuning/jobs", Lifecycle("ending", date(2027, 1, 6), "Most organizations cannot start new jobs.")),
)
# The header OpenAI-Beta of operations whose path begins so.
BETA = {
    "/agents": "agents=v1",
    "/vaults": "agents=v1",
    "/assistants": "assistants=v2",
    "/threads": "assistants=v2",
    "/vector_stores": "assistants=v2",
    "/chatkit": "chatkit_beta=v1",
}
# The scope a restricted key needs, without its last word: read or write.
SCOPES = {
    "/models": "api.model",
    "/responses": "api.responses",
    "/files": "api.files",
    "/batches": "api.batch",
    "/webhook_endpoints": "api.webhooks",
    "/webhook_event_types": "api.webhooks",
}
MODEL_REQUEST = ("/chat/completions", "/embeddings", "/images", "/moderations", "/audio", "/completions")
# What the document's tags are called here, where that differs.
ENTITIES = {
    "Audio": "Audio",
    "Batch": "Batch",
    "Chat": "Chat completion",
    "Completions": "Completion (old)",
    "Embeddings": "Embedding",
    "Files": "File",
    "Images": "Image",
    "Models": "Model",
    "Moderations": "Moderation",
    "Responses": "Response",
    "Conversations": "Conversation",
    "Vector stores": "Vector store",
    "Uploads": "Upload",
    "Containers": "Container",
    "Skills": "Skill",
    "Agents": "Agent",
    "Vaults": "Vault",
    "Chatkit": "ChatKit",
    "Content provenance checks": "Content provenance",
    "Videos": "Video",
    "Assistants": "Assistant",
    "Webhooks": "Webhook endpoint",
    "Fine-tuning": "Fine-tuning",
    "Evals": "Eval",
    "Live": "Live session",
    "Decisions": "Decision",
    "Audit Logs": "Audit log",
    "Group organization role assignments": "Group role",
    "User organization role assignments": "User role",
    "Project group role assignments": "Project group role",
    "Project user role assignments": "Project user role",
}


def lifecycle_of(method: str, path: str) -> Lifecycle | None:
    for known, beginning, ending in ENDINGS:
        if known in ("", method) and _under(path, beginning):
            return ending
    return None


def beta_of(path: str) -> str:
    return next((value for beginning, value in BETA.items() if _under(path, beginning)), "")


def scope_of(method: str, path: str) -> str:
    """The scope that a restricted key needs, or empty where it is not known."""
    if any(_under(path, beginning) for beginning in MODEL_REQUEST):
        return "model.request"
    scope = next((value for beginning, value in SCOPES.items() if _under(path, beginning)), "")
    return f"{scope}.{'read' if method == 'GET' else 'write'}" if scope else ""


def _under(path: str, beginning: str) -> bool:
    return path == beginning or path.startswith(f"{beginning}/")
