"""Pages of runs: start, watch, cancel, retry, decide."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from connections.models import Installation
from flows import actions
from flows.forms import PullForm, PushForm
from flows.models import Flow, Item, RecordChange, Run
from flows.progress import progress_of
from flows.states import ITEM_STATES
from flows.views.show import show
from ui.access import operator, viewer
from ui.htmx import stop_polling
from ui.ids import id_in
from ui.paging import keyset_page


@viewer
@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    runs = Run.objects.select_related("installation")
    only: list[Installation | Flow] = []
    for name, model in (("installation", Installation), ("flow", Flow)):
        if wanted := id_in(request.GET.get(name, "")):
            runs = runs.filter(**{name: wanted})
            only += model.objects.filter(pk=wanted)
    return show(request, "flows/runs.html", {"page": keyset_page(runs, request.GET.get("cursor")), "only": only})


@operator
def run_new(request: HttpRequest) -> HttpResponse:
    """The push form; the list of records posts straight to it, with a checkbox for each key."""
    form = PushForm(_posted(request)) if request.method == "POST" else PushForm(initial=_suggested(request))
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            run = actions.start_push(
                actor_of(request),
                chosen["installation"],
                chosen["entity"],
                chosen["records"],
                mode=chosen["mode"],
                repeat_unknown=chosen["repeat_unknown"],
            )
        except actions.CannotStart as error:
            form.add_error(None, str(error))
        else:
            return redirect(run)
    return show(request, "flows/run_new.html", {"form": form})


def _suggested(request: HttpRequest) -> dict[str, Any]:
    names = ("entity", "keys", "installation", "which")
    return {name: request.GET[name] for name in names if name in request.GET}


def _posted(request: HttpRequest) -> Any:
    values = request.POST.copy()
    if "record" in values:
        values["keys"] = "\n".join(values.getlist("record"))
    return values


@operator
def run_pull(request: HttpRequest) -> HttpResponse:
    form = PullForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        return redirect(actions.start_pull(actor_of(request), chosen["installation"], chosen["source"]))
    return show(request, "flows/run_pull.html", {"form": form})


@viewer
@require_safe
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(pk)
    goes_on = run.is_open or run.failed or run.unknown
    changed = run.version and run.mapping and run.mapping.version > run.version.number
    newer = run.mapping if goes_on and changed else None
    return show(request, "flows/run.html", _progress(run) | _items(request, run) | {"newer": newer})


@viewer
@require_safe
def run_progress(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(pk)
    response = show(request, "flows/_progress.html", _progress(run) | {"swap": True})
    return response if run.is_open else stop_polling(response)


@viewer
@require_safe
def run_items(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(pk)
    template = "flows/_items.html" if run.kind == "push" else "flows/_changes.html"
    response = show(request, template, _items(request, run))
    return response if run.is_open else stop_polling(response)


@operator
@require_POST
def run_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(pk)
    actions.cancel_run(actor_of(request), run)
    return redirect(run)


@operator
@require_POST
def run_retry(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(pk)
    count = actions.retry_failed(actor_of(request), run)
    messages.success(
        request,
        f"{count} failed record{' is' if count == 1 else 's are'} in line again."
        if count
        else "No failed record is left.",
    )
    return redirect(run)


@operator
@require_POST
def item_decide(request: HttpRequest, pk: int) -> HttpResponse:
    item = get_object_or_404(Item.objects.select_related("run", "record"), pk=pk)
    if (again := _again(request)) is not None and not actions.decide(actor_of(request), item, send_again=again):
        messages.info(request, f"{item.record} was decided already.")
    return redirect(item.run)


@operator
@require_POST
def run_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """One decision about all records of the run whose outcome is unknown."""
    run, again = _run(pk), _again(request)
    if again is None:
        return redirect(run)
    count = actions.decide_all(actor_of(request), run, send_again=again)
    told = f"{count} record{' is' if count == 1 else 's are'} {'in line again' if again else 'marked as failed'}."
    messages.success(request, told if count else "No record of unknown outcome is left.")
    return redirect(run)


def _again(request: HttpRequest) -> bool | None:
    """What was decided: send again, or not. None where nothing was, which decides nothing."""
    again = {"again": True, "fail": False}.get(request.POST.get("decision", ""))
    if again is None:
        messages.info(request, "Nothing was decided. Choose whether it is sent again or marked as failed.")
    return again


def _run(pk: int) -> Run:
    return get_object_or_404(Run.objects.select_related("installation", "mapping", "version", "flow", "preset"), pk=pk)


def _progress(run: Run) -> dict[str, Any]:
    return {"run": run, "progress": progress_of(run)}


def _items(request: HttpRequest, run: Run) -> dict[str, Any]:
    wanted = request.GET.get("state", "")
    items = run.items.select_related("record__entity")
    counts = run.items.counts()
    if wanted in ITEM_STATES:
        items = items.filter(state=wanted)
    return {
        "run": run,
        "page": keyset_page(items, request.GET.get("cursor")),
        "state": wanted,
        "unknown": counts.get("unknown", 0),
        "tabs": [(row, counts[row.value]) for row in ITEM_STATES.values() if counts.get(row.value)],
        "changes": RecordChange.objects.filter(cause="pull", cause_id=str(run.pk)).order_by("-at", "-pk")[:50],
    }
