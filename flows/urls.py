"""Pages of the hub: records, flows and runs."""

from __future__ import annotations

from django.urls import include, path

from flows.views import flows, presets, records, runs

record_patterns = [
    path("", records.record_list, name="list"),
    path("new/", records.record_new, name="new"),
    path("<int:pk>/", records.record_detail, name="detail"),
    path("<int:pk>/edit/", records.record_edit, name="edit"),
]
flow_patterns = [
    path("", flows.flow_list, name="list"),
    path("new/", flows.flow_new, name="new"),
    path("<int:pk>/switch/", flows.flow_switch, name="switch"),
    path("<int:pk>/remove/", flows.flow_remove, name="remove"),
    path("<int:pk>/run/", flows.flow_run, name="run"),
]
run_patterns = [
    path("", runs.run_list, name="list"),
    path("new/", runs.run_new, name="new"),
    path("pull/", runs.run_pull, name="pull"),
    path("<int:pk>/", runs.run_detail, name="detail"),
    path("<int:pk>/progress/", runs.run_progress, name="progress"),
    path("<int:pk>/items/", runs.run_items, name="items"),
    path("<int:pk>/cancel/", runs.run_cancel, name="cancel"),
    path("<int:pk>/retry/", runs.run_retry, name="retry"),
    path("<int:pk>/decide/", runs.run_decide, name="decide_all"),
    path("items/<int:pk>/decide/", runs.item_decide, name="decide"),
]
preset_patterns = [
    path("<int:pk>/record/", presets.choose, name="record"),
    path("<int:pk>/record/run/", presets.run, name="run"),
]
urlpatterns = [
    path("operations/presets/", include((preset_patterns, "presets"))),
    path("records/", include((record_patterns, "records"))),
    path("flows/", include((flow_patterns, "flows"))),
    path("runs/", include((run_patterns, "runs"))),
]
