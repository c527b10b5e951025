"""Verifications as background work."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django_tasks import task

from jobs.tokens import held_by
from verification.models import Verification
from verification.runner import execute


@task()
def run_verification(verification_id: int) -> None:
    execute(verification_id)


def release_process(name: str) -> None:
    """Give back the verifications that an earlier process of this name was running."""
    Verification.objects.filter(held_by(name), state="running").update(lease_until=timezone.now())


def sweep() -> None:
    """Put verifications back in line whose task was lost or whose worker died."""
    now = timezone.now()
    lost = Q(state="queued", created_at__lt=now - timedelta(seconds=20)) | Q(state="running", lease_until__lt=now)
    for pk in Verification.objects.filter(lost).values_list("pk", flat=True):
        run_verification.enqueue(pk)
