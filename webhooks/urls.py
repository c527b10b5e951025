from __future__ import annotations

from django.urls import path

from webhooks import views

app_name = "webhooks"
urlpatterns = [
    path("", views.inbox, name="list"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/replay/", views.replay, name="replay"),
    path("first/<int:installation>/", views.first_event, name="first_event"),
]
