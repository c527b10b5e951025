from __future__ import annotations

from django.urls import path

from operations.views import forms, index

app_name = "operations"
urlpatterns = [
    path("", index.index, name="list"),
    path("<int:pk>/", forms.choose, name="choose"),
    path("<int:pk>/<slug:slug>/", forms.form, name="form"),
    path("<int:pk>/<slug:slug>/run/", forms.run, name="run"),
]
