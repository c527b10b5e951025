"""The little that views need to know about htmx: is a part of the page wanted, and is the polling over."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_htmx.http import HTMX_STOP_POLLING
from django_htmx.middleware import HtmxDetails

Response = TypeVar("Response", bound=HttpResponseBase)


class HtmxRequest(HttpRequest):
    """A request that has passed the htmx middleware."""

    htmx: HtmxDetails


def htmx_of(request: HttpRequest) -> HtmxDetails | None:
    """htmx's details of a request that htmx sent, else None."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return htmx or None


def is_partial(request: HttpRequest) -> bool:
    """Say whether a fragment is wanted: htmx asks, and neither for a whole page by boost nor to restore its history."""
    htmx = htmx_of(request)
    return htmx is not None and not htmx.boosted and not htmx.history_restore_request


def stop_polling(response: Response) -> Response:
    """Tell htmx that this answer is the last one; it swaps it in and asks no more."""
    response.status_code = HTMX_STOP_POLLING
    return response
