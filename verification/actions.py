"""What people do with verifications."""

from __future__ import annotations

from collections.abc import Iterable

from connections.models import Installation
from logs.audit import Actor
from verification.models import Verification
from verification.runner import UnderWay, new_verification
from verification.tasks import run_verification

__all__ = ["UnderWay", "start_verification"]


def start_verification(actor: Actor, installation: Installation, slugs: Iterable[str] | None = None) -> Verification:
    """Put the checks named, or all, in line. Raises UnderWay while another verification is open."""
    verification = new_verification(actor, installation, slugs)
    run_verification.enqueue(verification.pk)
    return verification
