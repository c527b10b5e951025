"""Trying a connection: what the far side says of the key, in a sentence that says what to do.

`GET /models` costs nothing and needs a key that may read models. A restricted key may lack that and still be good for
everything Patchbay does, so the next try is `POST /responses` with an empty body: whoever may write responses is told
that the body is bad (400), whoever may not is told which permission is missing, and neither costs anything.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from connections.clients import NoAdminKey, admin_client_for_connection, client_for_connection
from connections.models import Connection
from connections.sealing import CannotOpen
from logs.context import Context
from openai_api.client import Client
from openai_api.errors import BadRequest, CallError, MissingScope, NotFound, NotOpenAI, Rejected
from openai_api.retries import RetryPolicy
from ui import help

# A person waits for the page: seconds of one try, and one more try, since a kept connection may have just been closed.
TIMEOUT = 8.0
PATIENCE = RetryPolicy(count=1)
MOST_MODELS, LONGEST_ID = 2_000, 120
ModelRow = dict[str, str | None]


@dataclass(frozen=True)
class Verdict:
    """What a test found. `status` is a value of CONNECTION_STATES, or empty where the test could not be made and the
    former one stands. `models` is None where the list could not be read.
    """

    status: str
    text: str
    help_code: str = ""
    missing_permission: str = ""
    call_id: uuid.UUID | None = None
    models: list[ModelRow] | None = None


def probe(connection: Connection, context: Context) -> Verdict:
    """Never raises for a failing test. Must not be called inside a transaction."""
    try:
        client = client_for_connection(connection)
    except CannotOpen as error:
        return Verdict("failed", f"{error} Put that key back into SEALING_KEYS, or replace the API key.")
    try:
        answer = client.call("list_models", context=context, timeout=TIMEOUT, retries=PATIENCE)
    except MissingScope as error:
        return _probe_responses(client, context, error)
    except NotFound as error:
        return Verdict("failed", NO_LIST, NotOpenAI.help_code, call_id=error.call_id)
    except CallError as error:
        return _failed(error)
    rows = model_rows(answer.json)
    if rows is None:
        return Verdict("failed", NOT_A_LIST, NotOpenAI.help_code, call_id=answer.call_id)
    found = f"The key is good for {len(rows)} model{'' if len(rows) == 1 else 's'}."
    return Verdict("ok", found, call_id=answer.call_id, models=rows)


def probe_admin(connection: Connection, context: Context) -> Verdict:
    """What the far side says of the admin key: one project is listed, which costs nothing. Never raises for a failing test."""
    try:
        client = admin_client_for_connection(connection)
    except (CannotOpen, NoAdminKey) as error:
        return Verdict("failed", str(error))
    try:
        answer = client.call("list_projects", query={"limit": 1}, context=context, timeout=TIMEOUT, retries=PATIENCE)
    except MissingScope as error:
        text = f"OpenAI knows the admin key, but it may not list projects ({error.permission}). It may do other things."
        return Verdict("limited", text, help.SCOPE_MISSING, error.permission, error.call_id)
    except CallError as error:
        return _failed(error)
    return Verdict("ok", "The admin key works.", call_id=answer.call_id)


NO_LIST = "The server has no list of models at this address (404). The base URL may lack its version, such as /v1."
NOT_A_LIST = (
    "The server answered, but not with a list of models as OpenAI does. The base URL may lack its version, such as /v1."
)


def _probe_responses(client: Client, context: Context, listing: MissingScope) -> Verdict:
    try:
        answer = client.call("create_response", json={}, context=context, timeout=TIMEOUT, retries=PATIENCE)
    except BadRequest as error:
        return _limited(listing, error.call_id)
    except MissingScope as error:
        return _nothing_allowed(listing, error)
    except CallError as error:
        return _failed(error)
    return _limited(listing, answer.call_id)


def _limited(listing: MissingScope, call_id: uuid.UUID | None) -> Verdict:
    text = (
        f"The key may write responses, which mappings need, but not list models: {listing.permission} is missing. "
        "Type the model's name yourself or, to have a list to pick from, allow Models (read) for this key at OpenAI."
    )
    return Verdict("limited", text, help.SCOPE_MISSING, listing.permission, call_id)


def _nothing_allowed(listing: MissingScope, writing: MissingScope) -> Verdict:
    text = (
        f"OpenAI knows the key, but it may neither list models ({listing.permission}) nor write responses "
        f"({writing.permission}). Set Responses to Write for this key at OpenAI, wait a minute and test again."
    )
    return Verdict("failed", text, help.SCOPE_MISSING, writing.permission, writing.call_id)


def _failed(error: CallError) -> Verdict:
    """A test that the throttle held back says nothing about the key."""
    status = "" if isinstance(error, Rejected) else "failed"
    return Verdict(status, error.sentence, error.help_code, getattr(error, "permission", ""), error.call_id)


def model_rows(document: Any) -> list[ModelRow] | None:
    """`{"id", "shutdown"}` rows by id from a `GET /models` answer; None when it is no list. Odd rows are left out."""
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, list):
        return None
    rows = (row for row in data if isinstance(row, dict) and _is_id(row.get("id")))
    ends = {row["id"]: _day(row.get("shutdown_date")) for row in rows}
    return [{"id": name, "shutdown": ends[name]} for name in sorted(ends)][:MOST_MODELS]


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID


def _day(value: object) -> str | None:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        return None
