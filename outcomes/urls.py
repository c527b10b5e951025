from __future__ import annotations

from django.urls import path

from outcomes import views

app_name = "outcomes"
urlpatterns = [
    path("", views.listing, name="list"),
    path("decide/", views.decide, name="decide"),
    path("<uuid:pk>/", views.detail, name="detail"),
]
