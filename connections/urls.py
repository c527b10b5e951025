from __future__ import annotations

from django.urls import include, path

from connections.views import connections, install, installations

connection_pages = [
    path("", connections.listing, name="list"),
    path("new/", connections.new, name="new"),
    path("<int:pk>/", connections.detail, name="detail"),
    path("<int:pk>/edit/", connections.edit, name="edit"),
    path("<int:pk>/key/", connections.replace_key, name="replace_key"),
    path("<int:pk>/admin-key/", connections.admin_key, name="admin_key"),
    path("<int:pk>/test/", connections.test, name="test"),
    path("<int:pk>/delete/", connections.delete, name="delete"),
]
installation_pages = [
    path("", installations.listing, name="list"),
    path("new/", install.new, name="new"),
    path("drafts/<int:pk>/discard/", install.discard, name="discard"),
    path("drafts/<int:pk>/<slug:slug>/", install.step, name="step"),
    path("drafts/<int:pk>/<slug:slug>/keep/", install.keep, name="keep"),
    path("model-note/", install.model_note, name="model_note"),
    path("allowance/", install.allowance, name="allowance"),
    path("<int:pk>/", installations.detail, name="detail"),
    path("<int:pk>/edit/", installations.edit, name="edit"),
    path("<int:pk>/ready/", installations.ready, name="ready"),
    path("<int:pk>/webhook-key/", installations.new_webhook_key, name="new_webhook_key"),
    path("<int:pk>/signing-secret/", installations.signing_secret, name="signing_secret"),
]

urlpatterns = [
    path("connections/", include((connection_pages, "connections"))),
    path("installations/", include((installation_pages, "installations"))),
]
