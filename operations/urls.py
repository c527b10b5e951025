from __future__ import annotations

from django.urls import path

from operations.views import answers, forms, index, lists, raw

app_name = "operations"
urlpatterns = [
    path("", index.index, name="list"),
    path("help/raw/", raw.help_page, name="raw_help"),
    path("help/lists/", lists.help_page, name="lists_help"),
    path("lists/<uuid:pk>/", lists.detail, name="whole_list"),
    path("lists/<uuid:pk>/items/", lists.save, name="list_items"),
    path("lists/<uuid:pk>/stop/", lists.stop, name="stop_list"),
    path("lists/<uuid:pk>/go-on/", lists.go_on, name="go_on_list"),
    path("<int:installation>/raw/", raw.form, name="raw"),
    path("<int:installation>/raw/send/", raw.send, name="send_raw"),
    path("<int:installation>/answers/<uuid:pk>/", answers.detail, name="answer"),
    path("<int:installation>/answers/<uuid:pk>/body/", answers.body, name="body"),
    path("<int:installation>/answers/<uuid:pk>/parts/<int:number>/", answers.part, name="part"),
    path("<int:installation>/", forms.choose, name="choose"),
    path("<int:installation>/<slug:slug>/", forms.form, name="form"),
    path("<int:installation>/<slug:slug>/run/", forms.run, name="run"),
]
