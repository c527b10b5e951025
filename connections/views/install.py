"""The guided form: one page a step, each an ordinary form, each saving what was typed."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from accounts.models import User
from connections import actions, drafts
from connections.allowance import Allowance, allowance_of
from connections.drafts import BY_SLUG, STEPS, ConnectionStepForm, Step
from connections.installation_forms import ThrottleForm
from connections.model_dates import note_on
from connections.models import Connection, Installation, InstallationDraft
from connections.views.installations import show_key
from ui.access import administrator
from ui.ids import id_in


@administrator
def new(request: HttpRequest) -> HttpResponse:
    """Shows what is needed. The draft is made by Continue, so that looking makes none."""
    if request.method == "POST":
        draft = InstallationDraft.objects.create(owner=cast("User", request.user), done=[STEPS[0].slug])
        return redirect("installations:step", draft.pk, STEPS[1].slug)
    return _page(request, InstallationDraft(), STEPS[0])


@administrator
@never_cache
def step(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """GET shows a step; POST saves it and goes where its button says: continue, back, leave, update."""
    draft, this = _draft(request, pk), _step(slug)
    if draft.applied_at:
        return _applied(request, draft)
    if request.method != "POST":
        return _page(request, draft, this)
    if this.slug == "review" and request.POST.get("go") == "apply":
        return _apply(request, draft)
    if this.form is None:
        return _go(request, draft, this)
    data = drafts.with_preset(draft, request.POST) if this.form is ThrottleForm else request.POST
    form = drafts.form_of(this, draft, data)
    draft = drafts.save(draft, this, form)
    if request.POST.get("go") in {"back", "leave", "update"}:
        return _go(request, draft, this)
    return _continue(request, draft, this, form)


@administrator
@require_POST
def keep(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """Saves while somebody types; the page swaps in when that was.

    It may come late: after Continue was pressed on the same page, whose connection is then made and being tested.
    """
    draft, this = _draft(request, pk), _step(slug)
    if draft.applied_at is None and this.form is not None:
        try:
            draft = drafts.save(draft, this, drafts.form_of(this, draft, request.POST), request.POST.get("seen", ""))
        except drafts.Outdated:
            return HttpResponse(status=204)
    return render(request, "connections/install/_saved.html", {"draft": draft})


@administrator
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    draft = _draft(request, pk)
    if draft.applied_at is None:
        messages.success(request, f"The draft “{draft}” was discarded. A connection made on the way stays.")
        draft.delete()
    return redirect("installations:list")


@administrator
@require_safe
def model_note(request: HttpRequest) -> HttpResponse:
    """The remark on a model while it is being chosen."""
    connection = Connection.objects.filter(pk=id_in(request.GET.get("connection", ""))).first()
    note = note_on(connection, request.GET.get("model", "").strip()[:120])
    return render(request, "connections/install/_model_note.html", {"note": note})


@administrator
@require_safe
def allowance(request: HttpRequest) -> HttpResponse:
    """What the limits allow while they are being typed."""
    return render(request, "connections/install/_allowance.html", {"allows": _allows(ThrottleForm(request.GET))})


def _draft(request: HttpRequest, pk: int) -> InstallationDraft:
    return get_object_or_404(InstallationDraft.objects.select_related("installation"), pk=pk, owner_id=request.user.pk)


def _step(slug: str) -> Step:
    if slug not in BY_SLUG:
        raise Http404(f"The form has no step {slug}.")
    return BY_SLUG[slug]


def _go(request: HttpRequest, draft: InstallationDraft, this: Step) -> HttpResponse:
    before, after = drafts.neighbours(this)
    match request.POST.get("go"):
        case "leave":
            messages.success(request, f"“{draft}” was saved as a draft. Resume it here whenever you like.")
            return redirect("installations:list")
        case "back":
            return redirect("installations:step", draft.pk, (before or this).slug)
        case "update":
            return redirect("installations:step", draft.pk, this.slug)
    return redirect("installations:step", draft.pk, (after or this).slug)


def _continue(request: HttpRequest, draft: InstallationDraft, this: Step, form: Any) -> HttpResponse:
    """On to the next step, unless this one has something to say first."""
    if not form.is_valid():
        return _page(request, draft, this, form)
    if isinstance(form, ConnectionStepForm) and form.makes_new:
        return _make_connection(request, draft, this, form)
    if this.slug == "model" and _unread_note(request, draft):
        return _page(request, draft, this, form)
    return _go(request, draft, this)


def _make_connection(
    request: HttpRequest, draft: InstallationDraft, this: Step, form: ConnectionStepForm
) -> HttpResponse:
    try:
        draft, made = drafts.make_connection(actor_of(request), draft, form)
    except actions.Refusal as refusal:
        form.new.add_error(refusal.field, str(refusal))
        return _page(request, draft, this, form)
    if made.status in {"ok", "limited"}:
        say = messages.success if made.status == "ok" else messages.warning
        say(request, f"“{made.name}” was made and tested: {made.status_text}")
        return _go(request, draft, this)
    messages.error(request, f"“{made.name}” was made, but its test failed: {made.status_text}")
    return redirect("installations:step", draft.pk, this.slug)


def _unread_note(request: HttpRequest, draft: InstallationDraft) -> bool:
    """Whether there is a warning on the model that was not on the page when Continue was pressed."""
    note = note_on(drafts.connection_of(draft), draft.answers.get("model", ""))
    return note is not None and note.needs_a_look and request.POST.get("noted") != draft.answers.get("model")


def _apply(request: HttpRequest, draft: InstallationDraft) -> HttpResponse:
    if drafts.open_steps(draft):
        return _page(request, draft, BY_SLUG["review"])
    try:
        return show_key(request, drafts.apply(actor_of(request), draft))
    except actions.AlreadyApplied:
        return _applied(request, _draft(request, draft.pk))
    except actions.Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("installations:step", draft.pk, "review")


def _applied(request: HttpRequest, draft: InstallationDraft) -> HttpResponse:
    if draft.installation is None:
        messages.info(request, "This draft was applied, and its installation is gone.")
        return redirect("installations:list")
    messages.info(request, "This draft was applied before; it made one installation. The webhook key was shown then.")
    return redirect("installations:ready", draft.installation.pk)


def _page(request: HttpRequest, draft: InstallationDraft, this: Step, form: Any = None) -> HttpResponse:
    if form is None and this.form is not None:
        form = drafts.form_of(this, draft)
    connection = drafts.connection_of(draft)
    before, _ = drafts.neighbours(this)
    context = {
        "draft": draft,
        "step": this,
        "number": STEPS.index(this) + 1,
        "steps": STEPS,
        "before": before,
        "form": form,
        "connection": connection,
        "note": note_on(connection, str(draft.answers.get("model", ""))),
        "allows": _allows(drafts.form_of(BY_SLUG["throttle"], draft)),
        "open": drafts.open_steps(draft) if this.slug == "review" else [],
    }
    return render(request, this.template, context)


def _allows(form: Any) -> Allowance | None:
    """None while the numbers are not in order. A form that nobody has touched allows what it proposes."""
    if form.is_bound and not form.is_valid():
        return None
    values = form.cleaned_data if form.is_bound else {name: field.initial for name, field in form.fields.items()}
    return allowance_of(Installation(**{name: values[name] for name in Installation.LIMITS}).throttle)
