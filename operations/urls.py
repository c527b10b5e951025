from __future__ import annotations

from django.urls import path

from operations.views import answers, forms, index, raw

app_name = "operations"
urlpatterns = [
    path("", index.index, name="list"),
    path("help/raw/", raw.help_page, name="raw_help"),
    path("<int:installation>/raw/", raw.form, name="raw"),
    path("<int:installation>/raw/send/", raw.send, name="send_raw"),
    path("<int:installation>/answers/<uuid:pk>/", answers.detail, name="answer"),
    path("<int:installation>/answers/<uuid:pk>/body/", answers.body, name="body"),
    path("<int:installation>/answers/<uuid:pk>/parts/<int:number>/", answers.part, name="part"),
    path("<int:installation>/", forms.choose, name="choose"),
    path("<int:installation>/<slug:slug>/", forms.form, name="form"),
    path("<int:installation>/<slug:slug>/run/", forms.run, name="run"),
]
