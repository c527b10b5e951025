"""A small site on the look alone: every component on one page, one view for each policy, every kind of failure.

Its pages can be opened: `python -m tests.ui.site 8720`.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.utils import timezone

from ui.access import administrator, operator, public, viewer
from ui.forms import OptionCards, Picker
from ui.htmx import is_partial, stop_polling
from ui.paging import KeysetPage
from ui.states import State, states

STATES = states(
    State("passed", "Passed", "ok", "ok", final=True),
    State("running", "Running", "info", "busy"),
    State("waiting", "Waiting", "quiet", "wait"),
    State("limited", "Limited", "warn", "warn"),
    State("failed", "Failed", "bad", "bad", final=True),
)
BODY = {
    "model": "gpt-6.1-terra",
    "input": "Contact: [redacted: email, 24 characters] <b>bold</b>",
    "max_output_tokens": 400,
    "temperature": -0.5,
    "background": True,
    "tools": [],
}


class DemoForm(forms.Form):
    name = forms.CharField(help_text="Product, a dash, then what it is for.", initial="OpenAI - Production")
    organization = forms.CharField(required=False)
    api_key = forms.CharField(label="API key", widget=forms.PasswordInput)
    model = forms.CharField(
        widget=Picker([("gpt-6.1-terra", "Shuts down 1 May 2027"), ("gpt-6-luna", "Small & <fast>")])
    )
    version = forms.ChoiceField(choices=[("v1", "OpenAI v1")])
    preset = forms.ChoiceField(
        choices=[("initial", "Initial setup"), ("ongoing", "Ongoing"), ("high", "High volume")],
        widget=OptionCards(
            {"initial": "5 requests a window", "ongoing": "500 requests a window", "high": "500 requests a window"},
            fills={"initial": {"limit": 5}, "ongoing": {"limit": 500}},
        ),
        initial="ongoing",
        help_text="A preset only fills in the fields below.",
    )
    limit = forms.IntegerField(label="API throttle limit", min_value=1, max_value=5000, initial=500)
    seconds = forms.IntegerField(
        label="API throttle seconds",
        max_value=60,
        help_text="Length of the window. Usually 60.",
        error_messages={"max_value": "%(show_value)s is more than a window may last. Enter 1 to %(limit_value)s."},
    )
    entities = forms.MultipleChoiceField(
        choices=[("product", "Product"), ("customer", "Customer")], widget=forms.CheckboxSelectMultiple, required=False
    )
    prompt = forms.CharField(widget=forms.Textarea, required=False)
    mappings = forms.BooleanField(label="Make default mappings", required=False, help_text="Recommended.")


@viewer
def sheet(request):
    form = DemoForm(request.POST or None)
    if form.is_bound:
        form.is_valid()
    now = timezone.now()
    context = {
        "form": form,
        "states": STATES.values(),
        "body": BODY,
        "now": now,
        "yesterday": now - timedelta(days=2),
        "cost": Decimal("0.000843"),
        "page": KeysetPage([], "older", "newer"),
    }
    return render(request, "sheet.html", context)


@viewer
def tell(request):
    messages.success(request, "The connection is saved.")
    messages.error(request, "OpenAI answered 401: <key>")
    messages.success(request, "2 records approved", extra_tags="toast")
    return sheet(request)


@public
def open_to_all(request):
    return HttpResponse("open")


@operator
def for_operators(request):
    return HttpResponse("part" if is_partial(request) else "whole")


@administrator
async def for_administrators(request):
    return stop_polling(HttpResponse("async"))


def forgotten(request):
    return HttpResponse("never seen")


@public
def fail(request):
    raise RuntimeError("secret detail")


@public
def deny(request):
    raise PermissionDenied("secret detail")


@public
def garble(request):
    raise BadRequest("secret detail")


@public
def sign_in(request):
    return render(request, "gate.html", {"form": DemoForm()})


demo = [path("", sheet, name="list")]
accounts = [
    path("sign-in/", sign_in, name="sign_in"),
    path("sign-out/", open_to_all, name="sign_out"),
    path("password/", open_to_all, name="password"),
    path("people/", for_administrators, name="people"),
]
urlpatterns = [
    path("", include("ui.urls")),
    path("", include((accounts, "accounts"))),
    path("connections/", include(([path("", sheet, name="list"), path("5/", sheet, name="detail")], "connections"))),
    path("installations/", include((demo, "installations"))),
    path("log/", include((demo, "logs"))),
    path("tell/", tell),
    path("open/", open_to_all),
    path("operators/", for_operators),
    path("forgotten/", forgotten),
    path("proxy/forgotten/", forgotten),
    path("fail/", fail),
    path("deny/", deny),
    path("garble/", garble),
    path("hookapi/fail/", fail),
]
handler400 = "ui.views.bad_request"
handler403 = "ui.views.forbidden"
handler404 = "ui.views.not_found"
handler500 = "ui.views.server_error"
