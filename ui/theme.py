"""Light or dark, kept in a cookie that the server and the page's script both know (static/js/app.js)."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse

COOKIE: Final = "theme"
THEMES: Final = ("light", "dark")
YEAR: Final = 365 * 24 * 3600  # seconds


def theme_of(request: HttpRequest) -> str:
    """`light` or `dark` as chosen, or the empty string: the system decides."""
    chosen = request.COOKIES.get(COOKIE, "")
    return chosen if chosen in THEMES else ""


def remember_theme(response: HttpResponse, theme: str, *, secure: bool) -> None:
    """Set the cookie. Scripts may read it: it holds nothing, and the switch writes it without asking the server."""
    response.set_cookie(COOKIE, theme, max_age=YEAR, secure=secure, samesite="Lax")
