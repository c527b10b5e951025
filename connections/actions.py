"""Everything that changes a connection or an installation: the change and its audit line, in one transaction.

Views, commands and tests call these. Nothing here opens a transaction around a network call: a test of a connection and
what follows an installation (`settings.AFTER_INSTALL`) run after the commit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from connections.models import Connection, Installation, InstallationDraft
from connections.testing import Verdict, probe, probe_admin
from connections.webhook_keys import digest_of, installation_by_key, new_key, webhook_url
from logs import audit
from logs.audit import SYSTEM, Actor
from logs.context import Context
from openai_api.gate import circuits, holds

__all__ = ["installation_by_key", "webhook_url"]  # callers find all of the room's verbs here
logger = logging.getLogger(__name__)

ADMIN_KEY_FIELDS = ["admin_key", "admin_key_last4", "admin_key_set_at"]
KEY_FIELDS = ["api_key", "key_last4", "key_set_at"]
TEST_FIELDS = ["status", "status_code", "status_text", "missing_permission", "tested_at", "test_call_id"]


class Refusal(Exception):
    """An action that was not taken. The message is fit to be shown; `field` names what it is about."""

    field = ""


class NameTaken(Refusal):
    field = "name"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"Another {kind} is called “{name}”. Choose another name.")


class InUse(Refusal):
    """The connection carries installations. `users` are they."""

    def __init__(self, connection: Connection, users: list[Installation]) -> None:
        names = ", ".join(f"“{user.name}”" for user in users)
        super().__init__(
            f"“{connection.name}” is in use by {names}, so it was not deleted. Give them another connection first."
        )
        self.users = users


class AlreadyApplied(Refusal):
    def __init__(self, draft: InstallationDraft) -> None:
        super().__init__("This draft was applied before, and one draft makes one installation.")
        self.installation = draft.installation


@dataclass(frozen=True)
class Installed:
    """What an installation, or a new webhook key, gave. The key and the URL are shown once and kept nowhere.

    `warnings` are sentences on what should have followed and did not.
    """

    installation: Installation
    webhook_key: str = field(repr=False)
    webhook_url: str = field(repr=False)
    warnings: tuple[str, ...] = ()


# Connections


def create_connection(
    actor: Actor, *, name: str, base_url: str, api_key: str, organization: str = "", project: str = ""
) -> Connection:
    """Saves a connection with its key sealed. Raises NameTaken. It is not tested: `test_connection` does that."""
    facts = {"name": name, "base_url": base_url, "organization": organization, "project": project}
    try:
        with transaction.atomic():
            connection = Connection.objects.create(**facts, created_by=actor.name)
            if api_key:
                connection.set_key(api_key)
                connection.save(update_fields=KEY_FIELDS)
            secrets = {"api_key": api_key} if api_key else {}
            _audit(actor, "created", connection, audit.changed({}, facts | secrets, frozenset(secrets)))
    except IntegrityError:
        raise NameTaken("connection", name) from None
    return connection


def update_connection(actor: Actor, connection: Connection, facts: Mapping[str, Any], api_key: str = "") -> Connection:
    """Changes name, address and account, and the key when one is given. Raises NameTaken."""
    try:
        with transaction.atomic():
            row = Connection.objects.select_for_update().get(pk=connection.pk)
            changes = _change(row, facts)
            if {"base_url", "organization", "project"} & changes.keys():
                row.forget_test()
                holds.forget(row.hold_key)
            if "base_url" in changes and row.admin_key:
                row.set_admin_key("")  # a stored key is not sent to another server
                changes["admin_key"] = [audit.MASK, None]
            if api_key:
                row.set_key(api_key)
                holds.forget(row.hold_key)
                changes["api_key"] = [audit.MASK, audit.MASK]
            row.save()
            _audit(actor, "changed", row, changes)
    except IntegrityError:
        raise NameTaken("connection", str(facts.get("name"))) from None
    return row


def replace_key(actor: Actor, connection: Connection, api_key: str) -> Connection:
    """Seals another key. What tests said of the old one is forgotten."""
    with transaction.atomic():
        connection.set_key(api_key)
        connection.save(update_fields=KEY_FIELDS + TEST_FIELDS)
        holds.forget(connection.hold_key)
        _audit(actor, "replaced the key of", connection, {"api_key": [audit.MASK, audit.MASK]})
    return connection


def set_admin_key(actor: Actor, connection: Connection, admin_key: str) -> Connection:
    """Seals another admin key, or takes it out where `admin_key` is empty."""
    with transaction.atomic():
        connection.set_admin_key(admin_key)
        connection.save(update_fields=ADMIN_KEY_FIELDS)
        action = "set the admin key of" if admin_key else "removed the admin key of"
        _audit(actor, action, connection, {"admin_key": [audit.MASK, audit.MASK if admin_key else None]})
    return connection


def delete_connection(actor: Actor, connection: Connection) -> None:
    """Deletes a connection that nothing uses; its history stays in the log. Raises InUse."""
    try:
        with transaction.atomic():
            _audit(actor, "deleted", connection, {"base_url": [connection.base_url, None]})
            holds.forget(connection.hold_key)
            connection.delete()
    except models.ProtectedError:
        raise InUse(connection, list(connection.installations.all())) from None


def test_connection(connection: Connection, context: Context) -> Connection:
    """Asks the far side what this connection may do and stores what it said. A failing test is a status, no error."""
    verdict = probe(connection, context)
    # A key or an address that was replaced meanwhile is not judged by the answer to the former one.
    same = Connection.objects.filter(
        pk=connection.pk, key_set_at=connection.key_set_at, base_url=connection.base_url,
        organization=connection.organization, project=connection.project,
    )  # fmt: skip
    same.update(**_test_result(verdict))
    record_stops()
    return Connection.objects.get(pk=connection.pk)


def test_admin_key(connection: Connection, context: Context) -> Verdict:
    """Asks the far side about the admin key alone; nothing of it is kept but the call in the log."""
    return probe_admin(Connection.objects.get(pk=connection.pk), context)


def record_turn(before: Connection, after: Connection) -> None:
    """Leaves a line in the audit trail when a background test found that a connection began or ceased to fail."""
    if (before.status == "failed") != (after.status == "failed"):
        action = "found failing" if after.status == "failed" else "found working again"
        _audit(SYSTEM, action, after, {"status": [before.status, after.status]})


def record_stops() -> None:
    """Leaves a line in the audit trail for each connection that the gate stopped or started since the last time."""
    now = {key.rpartition(":")[2]: stop for key, stop in circuits.stops().items()}
    for row in Connection.objects.filter(stopped_at=None, pk__in=now):
        stop = now[str(row.pk)]
        words = f"{stop.failures} failures in a row. {stop.words}"
        _turn(row, stopped=stop.since, action="stopped calls of", why=words)
    for row in Connection.objects.filter(stopped_at__isnull=False).exclude(pk__in=now):
        _turn(row, stopped=None, action="let calls pass again of")


def _turn(row: Connection, stopped: datetime | None, action: str, why: str = "") -> None:
    """Of several processes that see the same turn, one tells of it."""
    with transaction.atomic():
        as_seen = Connection.objects.filter(pk=row.pk, stopped_at=row.stopped_at)
        if as_seen.update(stopped_at=stopped):
            _audit(SYSTEM, action, row, {"reason": [None, why]} if why else {})


def test_context(connection: Connection, actor: Actor) -> Context:
    return Context("connection test", str(connection.pk), connection.name, actor=actor.name)


def _test_result(verdict: Verdict) -> dict[str, Any]:
    now = timezone.now()
    result: dict[str, Any] = {
        "status_code": verdict.help_code,
        "status_text": verdict.text,
        "missing_permission": verdict.missing_permission,
        "tested_at": now,
        "test_call_id": verdict.call_id,
    }
    if verdict.status:
        result["status"] = verdict.status
    if verdict.status in {"ok", "limited"}:
        result["last_ok_at"] = now
    if verdict.models is not None:
        result |= {"models_seen": verdict.models, "models_at": now}
    return result


# Installations


def create_installation(
    actor: Actor,
    *,
    name: str,
    connection: Connection,
    model: str,
    version: str = "v1",
    default_mappings: bool = True,
    tasks: Sequence[str] = (),
    entity: str = "Product",
    draft: InstallationDraft | None = None,
    **limits: Any,
) -> Installed:
    """Makes an installation and its webhook key, then, after the commit, calls what `settings.AFTER_INSTALL` lists.

    `limits` are fields of `Installation.LIMITS`; what is left out is as the model has it. `entity` is the one named in
    the webhook URL. A draft is claimed in the same transaction, so that it makes one installation only. Raises NameTaken,
    AlreadyApplied.
    """
    if unknown := limits.keys() - set(Installation.LIMITS):
        raise TypeError(f"An installation has no limit {sorted(unknown)}.")
    facts = {"name": name, "version": version, "model": model, "default_mappings": default_mappings, **limits}
    facts |= {"tasks": list(tasks)} if tasks else {}
    key = new_key()
    try:
        with transaction.atomic():
            claimed_at = _claim(draft)
            installation = Installation.objects.create(
                **facts, connection=connection, created_by=actor.name, **_key_columns(key)
            )
            if draft is not None:
                InstallationDraft.objects.filter(pk=draft.pk, applied_at=claimed_at).update(installation=installation)
            said = {field: getattr(installation, field) for field in (*facts, *Installation.LIMITS)}
            _audit(actor, "created", installation, audit.changed({}, _plain(said | {"connection": connection})))
    except IntegrityError:
        raise NameTaken("installation", name) from None
    url = webhook_url(key, entity)
    return Installed(installation, key, url, _follow_up(settings.AFTER_INSTALL, installation, url))


def update_installation(actor: Actor, installation: Installation, facts: Mapping[str, Any]) -> Installation:
    """Changes name, model, connection and limits, from the next call on. Raises NameTaken."""
    try:
        with transaction.atomic():
            row = Installation.objects.select_for_update().get(pk=installation.pk)
            changes = _change(row, facts)
            row.save()
            _audit(actor, "changed", row, changes)
    except IntegrityError:
        raise NameTaken("installation", str(facts.get("name"))) from None
    return row


def make_webhook_key(actor: Actor, installation: Installation, entity: str = "Product") -> Installed:
    """A new webhook key. The old one stops working at once."""
    key = new_key()
    with transaction.atomic():
        for name, value in _key_columns(key).items():
            setattr(installation, name, value)
        installation.save(update_fields=list(_key_columns(key)))
        _audit(actor, "made a new webhook key for", installation, {"webhook_key": [audit.MASK, audit.MASK]})
    url = webhook_url(key, entity)
    return Installed(installation, key, url, _follow_up(settings.AFTER_NEW_WEBHOOK_KEY, installation, url))


def set_signing_secret(actor: Actor, installation: Installation, secret: str) -> Installation:
    """Seals the secret with which OpenAI signs webhooks."""
    with transaction.atomic():
        installation.signing_secret = secret
        installation.signing_secret_set_at = timezone.now()
        installation.save(update_fields=["signing_secret", "signing_secret_set_at"])
        _audit(actor, "set the signing secret of", installation, {"signing_secret": [audit.MASK, audit.MASK]})
    return installation


def _claim(draft: InstallationDraft | None) -> Any:
    """Marks the draft as applied, unless somebody has: of two at once the second waits here and finds it taken."""
    if draft is None:
        return None
    now = timezone.now()
    if not InstallationDraft.objects.filter(pk=draft.pk, applied_at=None).update(applied_at=now):
        raise AlreadyApplied(InstallationDraft.objects.select_related("installation").get(pk=draft.pk))
    return now


def _key_columns(key: str) -> dict[str, Any]:
    return {
        "webhook_key_digest": digest_of(key),
        "webhook_key_last4": key[-4:],
        "webhook_key_set_at": timezone.now(),
    }


def _follow_up(paths: list[str], installation: Installation, url: str) -> tuple[str, ...]:
    """Calls each function of a settings table. The installation stands whatever they do; failures become sentences."""
    return tuple(warning for path in paths if (warning := _call(path, installation, url)))


def _call(path: str, installation: Installation, url: str) -> str:
    try:
        function: Callable[[Installation, str], object] = import_string(path)
        function(installation, url)
    except Exception as error:
        # What OpenAI refuses has a sentence and a row in the log; everything else is a fault of ours.
        said = getattr(error, "sentence", "")
        if not said:
            logger.exception("%s failed for installation %s", path, installation.pk)
            said = f"The reason stands in the server's log ({type(error).__name__})."
        return f"The installation was made, but {path.rsplit('.', 1)[1].replace('_', ' ')} did not finish. {said}"
    return ""


def _change(row: models.Model, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Assigns, and says what differs: field → [old, new], as words that fit an audit line."""
    before = {name: getattr(row, name) for name in facts}
    for name, value in facts.items():
        setattr(row, name, value)
    return audit.changed(_plain(before), _plain(dict(facts)))


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """As JSON can hold it: a connection is its name, money is text."""
    return {name: str(value) if isinstance(value, Connection | Decimal) else value for name, value in facts.items()}


def _audit(actor: Actor, action: str, row: Connection | Installation, changes: dict[str, Any]) -> None:
    audit.write(actor, action, row._meta.model_name or "", row.pk, row.name, changes)
