from django.urls import include, path

from logs import views

log_patterns = (
    [
        path("", views.call_list, name="list"),
        path("<uuid:pk>/", views.call_detail, name="detail"),
    ],
    "logs",
)
audit_patterns = ([path("", views.audit_list, name="list")], "audit")
urlpatterns = [
    path("log/", include(log_patterns)),
    path("audit/", include(audit_patterns)),
]
