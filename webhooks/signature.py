"""Signatures by Standard Webhooks. One of the two modules that open a sealed secret.

The library checks `v1` signatures over `id.timestamp.body` with a tolerance of 300 seconds both ways. On junk it lets
out more than its own error (ValueError, TypeError, UnicodeError), so everything it can raise becomes a `Refused` here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError

from connections.models import Installation
from connections.sealing import CannotOpen
from webhooks.refusals import Refused

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
TOLERANCE_SECONDS = 300
JUNK = (WebhookVerificationError, EmptyWebhookSecretError, ValueError, TypeError, OverflowError, RuntimeError)
TEST_BODY = '{"object":"event","type":"patchbay.self_test"}'


def verify(installation: Installation, headers: Mapping[str, str], body: bytes) -> None:
    """Hold a delivery against the installation's signing secret. Header names are lower case. Raises Refused."""
    if not all(headers.get(name) for name in HEADERS):
        raise Refused("signature_missing")
    if not _fresh(headers["webhook-timestamp"]):
        raise Refused("signature_stale")
    try:
        _signer(installation).verify(body, dict(headers), json_parse=False)
    except (*JUNK, CannotOpen):
        raise Refused("signature_wrong") from None


def _fresh(timestamp: str) -> bool:
    try:
        age = abs(time.time() - float(timestamp))
    except ValueError:
        return False
    return math.isfinite(age) and age <= TOLERANCE_SECONDS


def _signer(installation: Installation) -> Webhook:
    return Webhook(installation.signing_secret.open())


@dataclass(frozen=True)
class SelfTest:
    """What `verify` did with three deliveries made here. All three must be true."""

    true_accepted: bool
    forged_refused: bool
    stale_refused: bool

    @property
    def passed(self) -> bool:
        return self.true_accepted and self.forged_refused and self.stale_refused


def self_test(installation: Installation) -> SelfTest:
    """Sign with the stored secret, then see a true delivery accepted and a forged and a 6-minute-old one refused."""
    now = datetime.now(UTC)
    true = _headers(installation, now)
    stale = _headers(installation, now - timedelta(minutes=6))
    return SelfTest(
        true_accepted=_accepts(installation, true, TEST_BODY),
        forged_refused=not _accepts(installation, true, TEST_BODY + " "),
        stale_refused=not _accepts(installation, stale, TEST_BODY),
    )


def _headers(installation: Installation, at: datetime) -> dict[str, str]:
    try:
        signature = _signer(installation).sign("wh_self_test", at, TEST_BODY)
    except (*JUNK, CannotOpen):
        signature = ""
    return {
        "webhook-id": "wh_self_test",
        "webhook-timestamp": str(math.floor(at.timestamp())),
        "webhook-signature": signature,
    }


def _accepts(installation: Installation, headers: Mapping[str, str], body: str) -> bool:
    try:
        verify(installation, headers, body.encode())
    except Refused:
        return False
    return True
