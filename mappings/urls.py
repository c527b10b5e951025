from django.urls import path

from mappings import adding
from mappings.views import copies, editor, files, order, versions
from mappings.views import mappings as views

app_name = "mappings"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("gallery/", adding.gallery, name="gallery"),
    path("passing/", views.passing, name="passing"),
    path("<int:pk>/", editor.detail, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/versions/", versions.listing, name="versions"),
    path("versions/<int:pk>/", versions.detail, name="version"),
    path("versions/<int:pk>/roll-back/", versions.roll_back, name="roll_back"),
    path("versions/<int:pk>/note/", versions.note, name="note"),
    path("<int:pk>/clone/", copies.clone, name="clone"),
    path("<int:pk>/turn-round/", copies.turn_round, name="turn_round"),
    path("<int:pk>/move/", order.move, name="move"),
    path("<int:pk>/rules/<int:rule_pk>/switch/", order.switch_rule, name="rule_switch"),
    path("of/<int:pk>/order/", order.mappings, name="order"),
    path("of/<int:pk>/export/", files.download, name="export"),
    path("of/<int:pk>/import/", files.upload, name="import"),
    path("<int:pk>/activate/", views.activate, name="activate"),
    path("<int:pk>/connect/", editor.connect, name="connect"),
    path("<int:pk>/run-once/", editor.once, name="once"),
    path("<int:pk>/rules/new/", editor.rule, name="rule_new"),
    path("<int:pk>/rules/<int:rule_pk>/", editor.rule, name="rule_edit"),
    path("<int:pk>/rules/<int:rule_pk>/move/", editor.move_rule, name="rule_move"),
    path("<int:pk>/rules/<int:rule_pk>/delete/", editor.delete_rule, name="rule_delete"),
]
