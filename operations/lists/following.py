"""Reading a list to its end: one page after the other, each a call in the log, each kept before the next is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import Any
from uuid import UUID

from connections.clients import NoAdminKey
from connections.sealing import CannotOpen
from jobs.renewing import renewed
from logs.context import Context
from openai_api import loop, reading
from openai_api.errors import CallError
from openai_api.passage import Passage
from openai_api.passing import NotPassedOn
from operations import outgoing, running
from operations.lists import items, paging
from operations.lists.paging import Page
from operations.models import Listing

CAUSE = "operation list"
RENEW = 1.0
# How soon a call that is under way is hung up after its list was stopped.
LOOK_EVERY = 0.25
REPEATED = "OpenAI named a cursor that was used before, so this list can't be followed further."
log = logging.getLogger(__name__)


def execute(listing_id: UUID) -> None:
    """Read what is not read yet. Harmless to call twice: one process holds the lease, and only it writes."""
    listing = Listing.objects.claim(listing_id)
    if listing is None:
        return
    with renewed(listing.keep, RENEW, f"list {listing.pk}") as lost:
        try:
            while not lost.is_set() and _read_page(listing, lost):
                pass
        except (CallError, NotPassedOn, NoAdminKey, CannotOpen, paging.NoList) as error:
            listing.end("failed", _sentence(listing, error), getattr(error, "help_code", ""))
        except OSError as error:
            why = f"The items could not be kept: {error.strerror}. Make room on the disk, then go on."
            listing.end("failed", why)
        except Exception as error:
            log.exception("List %s could not be read.", listing.pk)
            listing.end(
                "failed", f"Patchbay could not read it ({type(error).__name__}). The server's log has the details."
            )


def _read_page(listing: Listing, lost: threading.Event) -> bool:
    """Ask for the next page and keep it; whether there is another one to ask for."""
    body = _asked(listing, lost)
    if lost.is_set():
        return False
    page = paging.read(body, listing.parameter)
    if page.more and page.cursor and page.cursor == listing.cursor:
        # It ends where it was to begin: the far side does not heed the cursor, and sent the same once more.
        listing.end("failed", f"Page {listing.pages + 1} is page {listing.pages} again. {REPEATED}")
        return False
    if not listing.keep():
        return False
    return _kept(listing, page)


def _kept(listing: Listing, page: Page) -> bool:
    """Keep a page and write how far it is; whether it goes on."""
    kept = page.items[: listing.most_items - listing.items]
    more = page.more or len(kept) < len(page.items)
    done: dict[str, Any] = {
        "size": listing.size + items.write(listing.pk, listing.pages, kept),
        "items": listing.items + len(kept),
        "pages": listing.pages + 1,
        "more": more,
    }
    ended = _ended(listing, page, done["items"], more)
    if page.more and page.cursor:
        done |= {"cursor": page.cursor, "seen": [*listing.seen, page.cursor]}
    if ended is None:
        return listing.change(**done)
    listing.end(*ended, **done)
    return False


def _ended(listing: Listing, page: Page, count: int, more: bool) -> tuple[str, str] | None:
    """The state and the sentence with which it ends at this page, or None."""
    if not more:
        return "done", "This is the whole list."
    if page.more and not page.cursor:
        return "failed", "OpenAI says that there is more, but names no cursor to ask for it."
    if page.more and page.cursor in listing.seen:
        return "failed", f"{REPEATED} Items of the last page may stand here twice."
    if count >= listing.most_items:
        return "done", f"The limit of {listing.most_items:,} items is reached. OpenAI has more."
    if listing.pages + 1 >= listing.most_pages:
        return "done", f"The limit of {listing.most_pages:,} pages is reached. OpenAI has more."
    return None


def _asked(listing: Listing, lost: threading.Event) -> object:
    """The next page's body as JSON. Raises what keeps it from being asked for, or what went wrong."""
    asked = paging.at(listing.request, listing.parameter, listing.cursor)
    client = running.client_of(listing.installation, asked)
    label = f"{asked.operation}, page {listing.pages + 1}"
    context = Context(CAUSE, str(listing.pk), label, listing.actor, listing.correlation_id)
    passage = client.forward(outgoing.forwarded(asked, client), context, asked.retries or client.retries)
    loop.run(_through(passage, lost))
    if passage.failure is not None:
        raise passage.failure
    return reading.parse(passage.request.forget_key(passage.content or b""))


async def _through(passage: Passage, lost: threading.Event) -> None:
    """The whole answer; hung up on as soon as nobody wants it any more."""
    opening = asyncio.create_task(passage.open(whole=True))
    while not opening.done():
        await asyncio.wait({opening}, timeout=LOOK_EVERY)
        if lost.is_set():
            opening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await opening
    await passage.close()


def _sentence(listing: Listing, error: Exception) -> str:
    return f"Page {listing.pages + 1} did not come. {getattr(error, 'sentence', '') or error}"
