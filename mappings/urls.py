from django.urls import path

from mappings.views import editor
from mappings.views import mappings as views

app_name = "mappings"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("passing/", views.passing, name="passing"),
    path("<int:pk>/", editor.detail, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/activate/", views.activate, name="activate"),
    path("<int:pk>/connect/", editor.connect, name="connect"),
    path("<int:pk>/run-once/", editor.once, name="once"),
    path("<int:pk>/rules/new/", editor.rule, name="rule_new"),
    path("<int:pk>/rules/<int:rule_pk>/", editor.rule, name="rule_edit"),
    path("<int:pk>/rules/<int:rule_pk>/move/", editor.move_rule, name="rule_move"),
    path("<int:pk>/rules/<int:rule_pk>/delete/", editor.delete_rule, name="rule_delete"),
]
