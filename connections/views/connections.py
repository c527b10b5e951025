"""Pages of connections: list with detail, new, edit, replace the key, test, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from connections import actions
from connections.forms import AdminKeyForm, ConnectionEditForm, ConnectionForm, KeyForm
from connections.model_dates import model_options
from connections.models import Connection
from ui.access import administrator, operator, viewer

MODELS_SHOWN = 12


@viewer
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The list alone; the first connection stands beside it, so that the page says something at once."""
    first = Connection.objects.first()
    return render(request, "connections/list.html", _page(first) | {"listing": True})


@viewer
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=pk)
    return render(request, "connections/list.html", _page(connection, everything="models" in request.GET))


@administrator
def new(request: HttpRequest) -> HttpResponse:
    form = ConnectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        facts = {name: value for name, value in form.cleaned_data.items() if name != "kind"}
        try:
            made = actions.create_connection(actor_of(request), **facts)
        except actions.Refusal as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            return _test_and_show(request, made)
    return render(request, "connections/new.html", {"form": form})


@administrator
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=pk)
    form = ConnectionEditForm(request.POST or None, connection=connection)
    if request.method == "POST" and form.is_valid():
        facts = {name: value for name, value in form.cleaned_data.items() if name not in {"kind", "api_key"}}
        try:
            changed = actions.update_connection(actor_of(request), connection, facts, form.cleaned_data["api_key"])
        except actions.Refusal as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            return _test_and_show(request, changed)
    return render(request, "connections/edit.html", {"form": form, "connection": connection})


@administrator
def replace_key(request: HttpRequest, pk: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=pk)
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _test_and_show(request, actions.replace_key(actor_of(request), connection, form.cleaned_data["api_key"]))
    return render(request, "connections/replace_key.html", {"form": form, "connection": connection})


@administrator
def admin_key(request: HttpRequest, pk: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=pk)
    form = AdminKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.set_admin_key(actor_of(request), connection, form.cleaned_data["admin_key"])
        if not connection.admin_key:
            messages.success(request, f"The admin key of “{connection.name}” was taken out.")
        else:
            verdict = actions.test_admin_key(connection, actions.test_context(connection, actor_of(request)))
            say = {"ok": messages.success, "limited": messages.warning}.get(verdict.status, messages.error)
            say(request, f"The admin key of “{connection.name}” was saved and tested: {verdict.text}")
        return redirect("connections:detail", connection.pk)
    return render(request, "connections/admin_key.html", {"form": form, "connection": connection})


@operator
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    return _test_and_show(request, get_object_or_404(Connection, pk=pk))


@administrator
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=pk)
    try:
        actions.delete_connection(actor_of(request), connection)
    except actions.InUse as refusal:
        messages.error(request, str(refusal))
        return redirect("connections:detail", pk)
    messages.success(request, f"“{connection.name}” was deleted. Its calls stay in the log.")
    return redirect("connections:list")


def _test_and_show(request: HttpRequest, connection: Connection) -> HttpResponse:
    tested = actions.test_connection(connection, actions.test_context(connection, actor_of(request)))
    say = {"ok": messages.success, "limited": messages.warning}.get(tested.status, messages.error)
    say(request, f"“{tested.name}” was tested: {tested.status_text}")
    return redirect("connections:detail", tested.pk)


def _page(connection: Connection | None, everything: bool = False) -> dict[str, Any]:
    options = model_options(connection)
    return {
        "connections": Connection.objects.all().with_stops(),
        "connection": connection,
        "users": connection.installations.all() if connection else [],
        "in_use": {row.model for row in connection.installations.all()} if connection else set(),
        "model_count": len(options),
        "models": options if everything else options[:MODELS_SHOWN],
    }
