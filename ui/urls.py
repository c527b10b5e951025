from django.urls import path

from ui import views

app_name = "ui"
urlpatterns = [
    path("", views.home, name="home"),
    path("theme/", views.theme, name="theme"),
    path("help/", views.help_index, name="help"),
    path("help/<str:code>/", views.help_entry, name="help_entry"),
]
