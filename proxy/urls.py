from __future__ import annotations

from django.urls import path

from proxy import views

app_name = "proxy"
urlpatterns = [
    path("tokens/", views.listing, name="list"),
    path("tokens/new/", views.new, name="new"),
    path("tokens/<int:pk>/", views.detail, name="detail"),
    path("tokens/<int:pk>/revoke/", views.revoke, name="revoke"),
    path("installations/<int:pk>/proxy/", views.installation, name="installation"),
]
