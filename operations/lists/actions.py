"""Starting to read a list, stopping it, and going on where it broke off: the same for pages and commands."""

from __future__ import annotations

from django.utils import timezone

from connections.models import Installation
from logs.audit import Actor
from openai_api.catalogue import OPERATIONS
from operations.asking import Asked
from operations.lists import items, paging
from operations.lists.tasks import read_list
from operations.models import Listing


def new(actor: Actor, installation: Installation, asked: Asked, most_items: int, most_pages: int) -> Listing:
    """A list that nobody reads yet: `following.execute` does it. `asked` is an operation whose lists have pages."""
    operation = OPERATIONS[asked.operation]
    parameter = paging.parameter_of(operation, asked)
    begin = paging.start_of(asked, parameter)
    return Listing.objects.create(
        installation=installation,
        actor=actor.name,
        asked=paging.first(operation, asked, most_items).to_json(),
        parameter=parameter,
        cursor=begin,
        seen=[begin] if begin else [],
        most_items=most_items,
        most_pages=most_pages,
    )


def start(actor: Actor, installation: Installation, asked: Asked, most_items: int, most_pages: int) -> Listing:
    """The same as background work."""
    listing = new(actor, installation, asked, most_items, most_pages)
    read_list.enqueue(str(listing.pk))
    return listing


def stop(actor: Actor, listing: Listing) -> bool:
    """End it now; a page that is on its way is hung up on. False where it has ended by itself."""
    stopped = (
        Listing.objects.open()
        .filter(pk=listing.pk)
        .update(
            state="stopped",
            note=f"{actor.name} stopped it.",
            finished_at=timezone.now(),
            lease_token="",
            lease_until=None,
        )
    )
    return stopped == 1


def go_on(listing: Listing) -> bool:
    """Read on behind the last page that came, or from the first if what came is not here any more. False while it is read."""
    ended = Listing.objects.filter(pk=listing.pk, state__in=("failed", "stopped"))
    again = {} if items.are_here(listing.pk, listing.pages) else _from_the_first(listing)
    queued = ended.update(state="queued", queued_at=timezone.now(), finished_at=None, note="", help_code="", **again)
    if queued:
        read_list.enqueue(str(listing.pk))
    return queued == 1


def _from_the_first(listing: Listing) -> dict[str, object]:
    begin = paging.start_of(listing.request, listing.parameter)
    return {"items": 0, "pages": 0, "size": 0, "cursor": begin, "seen": [begin] if begin else []}
