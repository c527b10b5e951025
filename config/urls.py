"""Every address of Patchbay's pages. Machine traffic (`/hookapi/`, `/proxy/`) is served beside Django, in `config.asgi`."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("ui.urls")),
    path("", include("accounts.urls")),
    path("", include("connections.urls")),
    path("mappings/", include("mappings.urls")),
    path("operations/", include("operations.urls")),
    path("", include("flows.urls")),
    path("webhooks/", include("webhooks.urls")),
    path("", include("proxy.urls")),
    path("", include("verification.urls")),
    path("log/unknown/", include("outcomes.urls")),
    path("", include("logs.urls")),
]

handler400 = "ui.views.bad_request"
handler403 = "ui.views.forbidden"
handler404 = "ui.views.not_found"
handler500 = "ui.views.server_error"
