"""What the answer view shows: the row, its call in the log, what it cost, why it waited, and how others would ask it."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone

from logs.detail import detail_of, usage_of
from logs.models import Attempt, Call
from logs.timeline import LIMITS, NOTICED, timeline
from operations import keeping, tree
from operations.copies import copies
from operations.models import Answer
from operations.showing import MEDIA

UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
KINDS = {"application/json": "json", "text/event-stream": "txt", "text/plain": "txt", "application/jsonl": "jsonl"}


def context_of(answer: Answer) -> dict[str, Any]:
    """Everything that `operations/_answer.html` needs."""
    call = Call.objects.filter(pk=answer.call_id).first() if answer.call_id else None
    attempts = detail_of(call).attempts if call else []
    asked, connection = answer.request, answer.installation.connection
    account = {"OpenAI-Organization": connection.organization, "OpenAI-Project": connection.project}
    shown = answer.shown
    return {
        "answer": answer,
        "asked": asked,
        "installation": answer.installation,
        "call": call,
        "usage": usage_of(call) if call else [],
        "times": timeline(call, attempts, timezone.now()) if call else None,
        "waited_because": _waited_because(attempts),
        "shown": shown,
        "parts": [_part(answer, number, part) for number, part in enumerate(shown.get("parts", []))],
        "tree": tree.drawn(shown["tree"]) if shown.get("tree") is not None else "",
        "copies": copies(asked, connection.base_url, {name: value for name, value in account.items() if value}),
        "body_url": reverse("operations:body", args=[answer.installation_id, answer.pk]) if _is_here(answer) else "",
        "headers": "\n".join(f"{name}: {value}" for name, value in answer.headers.items()),
        "file_name": file_name(answer),
    }


def file_name(answer: Answer) -> str:
    """The name under which a body is saved: what the far side called it, else its path and kind."""
    given = re.search(r'filename="?([^";]+)', answer.headers.get("content-disposition", ""))
    if given:
        return UNSAFE.sub("-", given[1]).strip("-.") or "answer"
    kind = answer.content_type.partition(";")[0].strip().lower()
    ending = MEDIA.get(kind) or KINDS.get(kind) or (mimetypes.guess_extension(kind) or ".bin").lstrip(".")
    return f"{UNSAFE.sub('-', answer.request.path).strip('-.')[:80] or 'answer'}.{ending}"


def _waited_because(attempts: Sequence[Attempt]) -> str:
    """The limit that held it longest."""
    held = [row for row in attempts if row.wait_cause and row.queue_ms >= NOTICED]
    longest = max(held, key=lambda row: row.queue_ms, default=None)
    return LIMITS.get(longest.wait_cause, longest.wait_cause) if longest else ""


def _is_here(answer: Answer) -> bool:
    return answer.size > 0 and keeping.path_of(answer.pk).is_file()


def _part(answer: Answer, number: int, part: dict[str, Any]) -> dict[str, Any]:
    url = reverse("operations:part", args=[answer.installation_id, answer.pk, number])
    return {**part, "url": url, "label": f"{part['kind'].capitalize()} {number + 1}"}
