"""What the page of a list shows: how far it is, and the beginning of what came."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from operations import tree
from operations.lists import items
from operations.models import KEPT_FOR, Listing
from operations.showing import MOST_ITEMS, Cutter


def context_of(listing: Listing) -> dict[str, Any]:
    """Everything that `operations/_list.html` needs."""
    here = items.are_here(listing.pk, listing.pages)
    return {
        "listing": listing,
        "asked": listing.request,
        "installation": listing.installation,
        "here": here,
        "percent": percent(listing),
        "elapsed_ms": _elapsed_ms(listing),
        "kept_hours": KEPT_FOR.total_seconds() / 3600,
        **(_beginning(listing) if listing.state_info.final and here and listing.items else {}),
    }


def percent(listing: Listing) -> int:
    """Of the limit that is nearer; OpenAI does not say how long a list is. A list that came to its end is all of it."""
    if listing.state == "done":
        return 100
    return min(99, 100 * max(listing.items * listing.most_pages, listing.pages * listing.most_items) // _whole(listing))


def _whole(listing: Listing) -> int:
    return listing.most_items * listing.most_pages


def _elapsed_ms(listing: Listing) -> float | None:
    if listing.started_at is None:
        return None
    return ((listing.finished_at or timezone.now()) - listing.started_at).total_seconds() * 1000


def _beginning(listing: Listing) -> dict[str, Any]:
    """The first items as a tree, as large as a page may be."""
    cutter = Cutter()
    first = items.beginning(listing.pk, listing.pages, MOST_ITEMS)
    drawn = tree.drawn(cutter.cut(first))
    return {"tree": drawn, "first": len(first), "shown": {"tree_cut": cutter.has_cut}}
