"""Making and revoking tokens: the change and its audit line, in one transaction. Pages and commands call these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from connections.models import Installation
from logs import audit
from logs.audit import Actor
from proxy.models import Token, digest, new_token


@dataclass(frozen=True)
class Made:
    """A new token. `secret` is what a program sends; it is shown once and kept nowhere."""

    token: Token
    secret: str = field(repr=False)


def create_token(actor: Actor, name: str, installations: Iterable[Installation]) -> Made:
    secret, scope = new_token(), list(installations)
    with transaction.atomic():
        token = Token.objects.create(name=name, digest=digest(secret), last4=secret[-4:], created_by=actor.name)
        token.installations.set(scope)
        facts = {"name": name, "installations": ", ".join(row.name for row in scope), "ends in": token.last4}
        audit.write(actor, "created", "token", token.pk, name, audit.changed({}, facts))
    return Made(token, secret)


def revoke_token(actor: Actor, token: Token) -> Token:
    """The token opens nothing any more, in every process within a second or two. The second time does nothing."""
    with transaction.atomic():
        now = timezone.now()
        if Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now, revoked_by=actor.name):
            audit.write(actor, "revoked", "token", token.pk, token.name, {"ends in": [token.last4, None]})
    token.refresh_from_db()
    return token
