from __future__ import annotations

from django.urls import path

from verification import views

app_name = "verification"
urlpatterns = [
    path("verification/", views.overview, name="list"),
    path("verification/<int:pk>/", views.report, name="report"),
    path("installations/<int:pk>/verification/", views.page, name="page"),
    path("installations/<int:pk>/verification/start/", views.start, name="start"),
]
