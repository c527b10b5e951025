from django.urls import path

from mappings import adding, views

app_name = "mappings"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("gallery/", adding.gallery, name="gallery"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/activate/", views.activate, name="activate"),
    path("<int:pk>/rules/new/", views.rule, name="rule_new"),
    path("<int:pk>/rules/<int:rule_pk>/", views.rule, name="rule_edit"),
    path("<int:pk>/rules/<int:rule_pk>/move/", views.move_rule, name="rule_move"),
    path("<int:pk>/rules/<int:rule_pk>/delete/", views.delete_rule, name="rule_delete"),
]
