"""Lists as background work. Delivered at least once: `following.execute` takes the list's lease before it does anything."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django_tasks import task

from jobs.tokens import held_by
from operations.models import KEPT_FOR, Listing

# A list that waits for longer has lost its task (seconds).
LOST_AFTER = 20


@task()
def read_list(listing_id: str) -> None:
    from operations.lists.following import execute

    execute(UUID(listing_id))


def release_process(name: str) -> None:
    """Give back the lists that an earlier process of this name was reading."""
    Listing.objects.filter(held_by(name), state="reading").update(lease_until=timezone.now())


def sweep() -> None:
    """Put lists back in line whose task was lost or whose worker died, and forget what was kept long enough."""
    now = timezone.now()
    Listing.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    waiting = Q(state="queued", queued_at__lt=now - timedelta(seconds=LOST_AFTER))
    lost = waiting | Q(state="reading", lease_until__lt=now)
    for pk in Listing.objects.filter(lost).values_list("pk", flat=True):
        # One of the workers that sweep at the same time wins it.
        if Listing.objects.filter(lost, pk=pk).update(state="queued", queued_at=now, lease_token="", lease_until=None):
            read_list.enqueue(str(pk))
