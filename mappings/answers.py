"""What mappings to the hub see of an answer. Pure."""

from __future__ import annotations

from typing import Any


def text_of(response: dict[str, Any]) -> str:
    """All output text of a response, joined as OpenAI's own SDK joins it; of a chat completion, its first choice."""
    for choice in response.get("choices") or []:
        return (choice.get("message") or {}).get("content") or ""
    parts = (
        part
        for output in response.get("output") or []
        if isinstance(output, dict) and output.get("type") == "message"
        for part in output.get("content") or []
    )
    return "".join(part.get("text") or "" for part in parts if part.get("type") == "output_text")


def document(
    response: dict[str, Any],
    request: dict[str, Any],
    record: dict[str, Any] | None,
    now: str,
    masks: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The document that `mappings.apply.to_record` takes for an answer to a request; `masks` are those of the request."""
    return {
        "response": response,
        "text": text_of(response),
        "event": None,
        "request": request,
        "masks": masks or {},
        "record": record,
        "now": now,
    }
