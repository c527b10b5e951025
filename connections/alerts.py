"""What every page tells operators of connections: which of those in use fail or are stopped."""

from __future__ import annotations

from django.urls import reverse

from connections.models import Connection
from ui.banners import Banner


def banners() -> list[Banner]:
    return [
        Banner(f"{row.name} is stopped." if row.stop else f"{row.name} fails.", _page_of(row), row.trouble)
        for row in Connection.objects.in_trouble().with_stops()
    ]


def _page_of(row: Connection) -> str:
    return reverse("connections:detail", args=[row.pk])
