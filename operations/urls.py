from __future__ import annotations

from django.urls import path

from operations.views import answers, forms, index, lists, presets, raw

app_name = "operations"
urlpatterns = [
    path("", index.index, name="list"),
    path("help/raw/", raw.help_page, name="raw_help"),
    path("help/lists/", lists.help_page, name="lists_help"),
    path("lists/<uuid:pk>/", lists.detail, name="whole_list"),
    path("lists/<uuid:pk>/items/", lists.save, name="list_items"),
    path("lists/<uuid:pk>/stop/", lists.stop, name="stop_list"),
    path("lists/<uuid:pk>/go-on/", lists.go_on, name="go_on_list"),
    path("presets/", presets.listing, name="presets"),
    path("presets/help/", presets.help_page, name="preset_help"),
    path("presets/<int:pk>/", presets.detail, name="preset"),
    path("presets/<int:pk>/run/", presets.run, name="preset_run"),
    path("presets/<int:pk>/rename/", presets.rename, name="preset_rename"),
    path("presets/<int:pk>/delete/", presets.delete, name="preset_delete"),
    path("presets/versions/<int:pk>/", presets.version, name="preset_version"),
    path("presets/versions/<int:pk>/roll-back/", presets.roll_back, name="preset_roll_back"),
    path("<int:installation>/raw/", raw.form, name="raw"),
    path("<int:installation>/raw/save/", raw.save, name="save_raw"),
    path("<int:installation>/raw/send/", raw.send, name="send_raw"),
    path("<int:installation>/answers/<uuid:pk>/", answers.detail, name="answer"),
    path("<int:installation>/answers/<uuid:pk>/body/", answers.body, name="body"),
    path("<int:installation>/answers/<uuid:pk>/parts/<int:number>/", answers.part, name="part"),
    path("<int:installation>/", forms.choose, name="choose"),
    path("<int:installation>/<slug:slug>/", forms.form, name="form"),
    path("<int:installation>/<slug:slug>/run/", forms.run, name="run"),
    path("<int:installation>/<slug:slug>/save/", forms.save, name="save"),
]
