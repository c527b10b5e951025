"""Pages of flows: which mappings are put to work, and when."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actors import actor_of
from connections.models import Installation
from flows import actions
from flows.forms import FlowForm
from flows.models import Flow
from flows.views.show import show
from ui.access import administrator, operator, viewer


@viewer
@require_safe
def flow_list(request: HttpRequest) -> HttpResponse:
    """All flows, by installation, or those of one."""
    flows = Flow.objects.with_last_run().select_related("installation", "mapping", "preset")
    chosen = request.GET.get("installation", "")
    installation = Installation.objects.filter(pk=int(chosen[:9])).first() if chosen.isdecimal() else None
    context = {
        "flows": flows.filter(installation=installation) if installation else flows,
        "installation": installation,
        "any_installation": Installation.objects.exists(),
    }
    return show(request, "flows/flows.html", context)


@administrator
@require_http_methods(["GET", "HEAD", "POST"])
def flow_new(request: HttpRequest) -> HttpResponse:
    form = FlowForm(request.POST or None, initial={"mapping": request.GET.get("mapping")})
    if form.is_valid():
        mapping = form.cleaned_data["mapping"]
        trigger, preset = form.cleaned_data["trigger"], form.cleaned_data["preset"]
        actions.add_flow(actor_of(request), mapping.installation, mapping, trigger, preset=preset)
        messages.success(request, f"{mapping} is put to work.")
        return redirect("flows:list")
    return show(request, "flows/flow_new.html", {"form": form})


@administrator
@require_POST
def flow_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn a flow on or off, as the button says; a second press changes nothing."""
    flow = get_object_or_404(Flow, pk=pk)
    actions.switch_flow(actor_of(request), flow, request.POST.get("active") == "1")
    messages.success(request, f"{flow.name} is {'on' if flow.active else 'off'}.")
    return redirect("flows:list")


@administrator
@require_POST
def flow_remove(request: HttpRequest, pk: int) -> HttpResponse:
    flow = get_object_or_404(Flow, pk=pk)
    actions.remove_flow(actor_of(request), flow)
    messages.success(request, f"{flow.name} is removed. Its runs stay.")
    return redirect("flows:list")


@operator
@require_POST
def flow_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Push every record of the flow's entity."""
    flow = get_object_or_404(Flow.objects.select_related("installation", "mapping__installation", "preset"), pk=pk)
    try:
        return redirect(actions.run_flow(actor_of(request), flow))
    except actions.CannotStart as reason:
        messages.error(request, str(reason))
        return redirect("flows:list")
