"""Where operations begin: the installations that one can ask through."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from connections.models import Installation
from ui.access import viewer


@viewer
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    installations = Installation.objects.select_related("connection").order_by("name")
    return render(request, "operations/index.html", {"installations": installations})
