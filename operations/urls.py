from __future__ import annotations

from django.urls import path

from operations.views import index

app_name = "operations"
urlpatterns = [
    path("", index.index, name="list"),
]
