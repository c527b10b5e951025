"""Pull: what OpenAI has, into the hub. Additions, changes and deletions are found by comparing contents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flows.models import Record, Run
from flows.records import Cause, save_record
from logs.audit import Actor
from logs.context import Context
from logs.models import Call
from mappings.answers import text_of
from openai_api.client import Client
from openai_api.errors import NotFound

PAGE = 100
# A response has no list at OpenAI: the newest ones that this installation asked for are looked at again.
MOST_RESPONSES = 20
MAX_PAGES = 1000

Found = tuple[str, dict[str, Any]]


def pull(run: Run, client: Client) -> None:
    """Bring what `run.source` names into the hub and count: done is added or changed, skipped is unchanged.

    Raises CallError when OpenAI can't be asked; what was saved until then stays.
    """
    context = Context("pull", str(run.pk), f"{run} of {run.source}", actor=run.actor, correlation_id=run.correlation_id)
    seen: set[str] = set()
    changed = 0
    for key, fields in SOURCES[run.source](run, client, context):
        changed += _save(run, key, fields)
        seen.add(key)
        if len(seen) % 20 == 0:
            _count(run, changed, len(seen))
    changed_or_gone = changed + (0 if run.source == "responses" else _mark_deleted(run, seen))
    _count(run, changed_or_gone, len(seen) + changed_or_gone - changed)


def _count(run: Run, changed: int, seen: int) -> None:
    Run.objects.filter(pk=run.pk).update(total=seen, done=changed, skipped=seen - changed)


def _save(run: Run, key: str, fields: dict[str, Any]) -> bool:
    known = Record.objects.of(run.entity).filter(key=key).first()
    custom: dict[str, Any] = {"deleted": False}
    # What another installation brought stays its own, unless that one lost it.
    if known is None or known.custom.get("deleted"):
        custom["installation"] = run.installation.name
    _, changed = save_record(_actor(run), run.entity, key, fields, custom, cause=Cause("pull", str(run.pk)))
    return changed


def _mark_deleted(run: Run, seen: set[str]) -> int:
    """Records that this installation brought and OpenAI has no longer: marked, not removed."""
    mine = Record.objects.of(run.entity).filter(custom__installation=run.installation.name, custom__deleted=False)
    gone = [key for key in mine.values_list("key", flat=True) if key not in seen]
    for key in gone:
        save_record(_actor(run), run.entity, key, custom={"deleted": True}, cause=Cause("pull", str(run.pk)))
    return len(gone)


def _actor(run: Run) -> Actor:
    return Actor(run.actor or "Patchbay")


def _models(run: Run, client: Client, context: Context) -> Iterator[Found]:
    answer = client.call("list_models", context=context)
    for model in answer.json.get("data", []):
        yield model["id"], _named(model, "owned_by", "created", "shutdown_date")


def _files(run: Run, client: Client, context: Context) -> Iterator[Found]:
    query: dict[str, Any] = {"limit": PAGE}
    for _ in range(MAX_PAGES):
        page = client.call("list_files", query=query, context=context).json
        files = page.get("data", [])
        for file in files:
            yield file["id"], _named(file, "filename", "purpose", "bytes", "created_at", "expires_at", "status")
        if not page.get("has_more") or not files:
            return
        query = {"limit": PAGE, "after": files[-1]["id"]}


def _responses(run: Run, client: Client, context: Context) -> Iterator[Found]:
    for response_id in known_responses(run):
        try:
            response = client.call("get_response", path={"response_id": response_id}, context=context).json
        except NotFound:
            continue
        fields = _named(response, "status", "model", "created_at")
        yield response_id, {"type": "response", "object id": response_id, "text": text_of(response)} | fields


def known_responses(run: Run) -> list[str]:
    calls = Call.objects.filter(installation_id=run.installation_id, operation="create_response", state="done")
    ids = calls.exclude(object_id="").order_by("-created_at", "-id").values_list("object_id", flat=True)
    return list(dict.fromkeys(ids[: MOST_RESPONSES * 5]))[:MOST_RESPONSES]


def _named(source: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: source[name] for name in names if source.get(name) is not None}


SOURCES: dict[str, Callable[[Run, Client, Context], Iterator[Found]]] = {
    "models": _models,
    "files": _files,
    "responses": _responses,
}
