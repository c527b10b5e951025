"""The pages of one installation's operations: which there are, the form of one, and running it."""

from __future__ import annotations

import base64
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import actor_of
from connections.model_dates import model_options, note_on
from connections.models import Installation
from openai_api.catalogue import OPERATIONS, Operation
from openai_api.passing import NotPassedOn
from operations import choosing, formulas, records
from operations.costly import consequence
from operations.fields.typed import as_json
from operations.form import BESIDE, ROOTS, OperationForm, Upload, stamp
from operations.lists.actions import start
from operations.models import Listing
from operations.running import respond
from operations.saving import Saving
from operations.views.presets import to_saved
from operations.views.raw import again
from ui import problems
from ui.access import operator, person_of, viewer
from ui.htmx import is_partial

# Characters of text, which stand in the page twice and must fit into DATA_UPLOAD_MAX_MEMORY_SIZE when they come back.
MOST_EMBEDDED = 4_200_000


@viewer
@require_safe
def choose(request: HttpRequest, installation: int) -> HttpResponse:
    """Entities and their operations; to htmx what was found alone."""
    here = _installation(installation)
    today, search = timezone.localdate(), request.GET.get("q", "")[:120]
    kind = request.GET.get("do", "")
    kind = kind if kind in {value for value, _, _ in choosing.KINDS} else ""
    everything = choosing.offers(here.connection, today, search=search, kind=kind)
    names = choosing.entities(everything, today)
    entity = request.GET.get("entity", "")
    entity = entity if entity in {each.name for each in names} else ("" if search else names[0].name)
    found = [each for each in everything if not entity or each.operation.entity == entity]
    context = {"installation": here, "entities": names, "entity": entity, "found": found, "q": search}
    context |= {"kinds": choosing.KINDS, "kind": kind}
    context["lacking"] = sum(each.lacks_key for each in found)
    page = "operations/_found.html" if is_partial(request) else "operations/choose.html"
    return render(request, page, context)


@viewer
def form(request: HttpRequest, installation: int, slug: str) -> HttpResponse:
    """The form of one operation. A POST of it changes the form, sends nothing and is open to whoever may look."""
    here, operation = _installation(installation), _operation(slug)
    filled, saving = _blank(request, here, operation), _saving(request, here, operation)
    if request.method == "POST":
        _fill(request, filled)
        _edit(request, filled)
    else:
        earlier = saving.version.request if saving.version else again(request, here)
        if earlier is not None and earlier.operation == operation.id:
            filled.begin_with(earlier)
        else:
            filled.begin()
        filled.json_text = filled.body_text()
    return _page(request, here, filled)


@operator
@require_POST
def run(request: HttpRequest, installation: int, slug: str) -> HttpResponseBase:
    """Sends what the form says, if it is right; what is dangerous is asked about before."""
    here, operation = _installation(installation), _operation(slug)
    role, person = choosing.role_for(operation), person_of(request)
    if person is None or not person.has_role(role):
        return problems.answer(request, problems.role_needed(role, person.role if person else None))
    filled = _blank(request, here, operation)
    _fill(request, filled)
    offer = choosing.offer(operation, here.connection, timezone.localdate())
    if request.POST.get("do") != "run" or offer.refused or not filled.check():
        return _page(request, here, filled)
    if choosing.is_grave(operation) and request.POST.get("confirmed") != "yes":
        return _ask(request, here, filled)
    try:
        asked = _saving(request, here, operation).marked(filled.asked(_uploads(request)))
        if filled.follows:
            return redirect(start(actor_of(request), here, asked, *filled.limits))
        return respond(request, here, asked)
    except NotPassedOn as refusal:
        filled.problems["request"] = str(refusal)
        return _page(request, here, filled)


@operator
@require_POST
def save(request: HttpRequest, installation: int, slug: str) -> HttpResponse:
    """Keeps what the form says as a preset. It must be right but for its files, which are chosen when it is sent."""
    here, operation = _installation(installation), _operation(slug)
    filled, saving = _blank(request, here, operation), _saving(request, here, operation)
    _fill(request, filled)
    if filled.check_without_files():
        saved = saving.save(request, saving.with_files(filled.asked(_uploads(request))))
        if saved is not None:
            return to_saved(request, *saved)
    return _page(request, here, filled, saving)


def _saving(request: HttpRequest, here: Installation, operation: Operation) -> Saving:
    person = person_of(request)
    return Saving.of(request, here, person is not None and person.has_role("operator"), operation.id)


def _installation(pk: int) -> Installation:
    return get_object_or_404(Installation.objects.select_related("connection"), pk=pk)


def _operation(slug: str) -> Operation:
    if slug not in OPERATIONS:
        raise Http404(f"No operation is called {slug}.")
    return OPERATIONS[slug]


def _blank(request: HttpRequest, installation: Installation, operation: Operation) -> OperationForm:
    kind = request.POST.get("kind") or request.GET.get("as", "")
    account = tuple(row["id"] for row in installation.connection.models_seen)
    known = formulas.context(installation.name, installation.model, timezone.localtime())
    return OperationForm(operation, installation.model, kind, account, known=known)


def _fill(request: HttpRequest, filled: OperationForm) -> None:
    """What was posted; line ends are as they were typed, for a browser makes each of them two characters."""
    posted = {name: str(text).replace("\r\n", "\n") for name, text in request.POST.items()}
    filled.typed = {name: text for name, text in posted.items() if name in BESIDE or name.startswith(ROOTS)}
    filled.typed = {name: text for name, text in filled.typed.items() if not name.endswith(("#upload", "#file"))}
    for name, (upload, *_) in _uploads(request).items():
        if name.endswith("#upload"):
            _embed(filled, name.removesuffix("#upload"), upload)
        else:
            filled.typed[f"{name}#file"] = upload.name or "file"
    filled.settle()
    _choose_record(filled)
    if "json" in posted:
        filled.take_json(posted["json"], posted.get("json-seen", ""), posted.get("do", ""))
    else:
        filled.json_text = filled.body_text()


def _choose_record(filled: OperationForm) -> None:
    """Lets expressions know the record that was named."""
    named = filled.typed.get("record", "").strip()
    if not named:
        return
    record = records.named(named)
    if record is None:
        filled.problems["record"] = (
            f"There is no record “{named[:80]}”. Write its entity and its key, such as Product/SKU-1."
        )
    else:
        filled.known = {**record, **filled.known}


def _embed(filled: OperationForm, path: str, upload: Upload) -> None:
    """Puts a file's content into a text field as a data: URL, unless the form would grow too large to be sent again."""
    if sum(map(len, filled.typed.values())) + (upload.size or 0) * 4 // 3 > MOST_EMBEDDED:
        filled.problems[path] = (
            f"“{upload.name}” is too large to be put into the request: 3 MB at most, with all others. "
            "Send it with Upload file, and enter the ID that it gets."
        )
        return
    kind = upload.content_type or "application/octet-stream"
    filled.typed.pop(f"{path}#json", None)
    filled.typed[path] = f"data:{kind};base64,{base64.b64encode(upload.read()).decode()}"


def _edit(request: HttpRequest, filled: OperationForm) -> None:
    verb, _, path = request.POST.get("do", "").partition(":")
    if verb == "check":
        filled.checked = True
        filled.check()
    elif path and "json" not in filled.problems:
        filled.edit(verb, path)
        filled.json_text = filled.body_text()


def _uploads(request: HttpRequest) -> dict[str, list[Upload]]:
    """The files that were chosen, by the name of their field."""
    found: dict[str, Any] = {name: request.FILES.getlist(name) for name in request.FILES}
    return found


def _page(
    request: HttpRequest, here: Installation, filled: OperationForm, saving: Saving | None = None
) -> HttpResponse:
    for name, (upload, *_) in _uploads(request).items():
        again = f"Choose “{upload.name}” again: a browser does not keep a file in a form that comes back."
        if not name.endswith("#upload"):
            filled.problems.setdefault(name, again)
    operation, today = filled.operation, timezone.localdate()
    role, person = choosing.role_for(operation), person_of(request)
    sections = filled.sections(model_options(here.connection))
    context = {
        "installation": here,
        "operation": operation,
        "offer": choosing.offer(operation, here.connection, today),
        "form": filled,
        "sections": sections,
        "model_note": note_on(here.connection, filled.typed.get("body/model", "").strip()[:120]),
        "faulty": filled.faulty(sections),
        "json_stamp": stamp(filled.json_text) if "json" not in filled.problems else request.POST.get("json-seen", ""),
        "form_url": reverse("operations:form", args=[here.pk, operation.id]),
        "run_url": reverse("operations:run", args=[here.pk, operation.id]),
        "role": role,
        "may_run": person is not None and person.has_role(role),
        "grave": choosing.is_grave(operation),
        "preview": filled.preview() if filled.has_expressions else None,
        "records": records.recent(),
        "lists": Listing.objects.filter(installation=here, asked__operation=operation.id).order_by("-created_at")[:3],
        "saving": saving or _saving(request, here, operation),
        "save_url": reverse("operations:save", args=[here.pk, operation.id]),
    }
    page = "operations/_parts.html" if is_partial(request) else "operations/form.html"
    return render(request, page, context)


def _ask(request: HttpRequest, installation: Installation, filled: OperationForm) -> HttpResponse:
    """The question before something dangerous, with everything that was typed behind it."""
    kept = [(name, text) for name, text in filled.frozen().items() if not name.endswith("#file")]
    values, _ = filled.sent()
    context: dict[str, Any] = {
        "installation": installation,
        "operation": filled.operation,
        "kept": [*kept, ("kind", filled.kind), ("preset", request.POST.get("preset", ""))],
        "thing": _thing(values),
        "body": as_json(values["body"]) if "body" in values and filled.shows_json else "",
        "consequence": consequence(filled.operation.method, filled.asked({}).path),
    }
    return render(request, "operations/confirm.html", context)


def _thing(values: dict[str, Any]) -> str:
    """What the request is about: the last name in its path, else what names it in its body."""
    path, body = values.get("path", {}), values.get("body")
    if path:
        return str(list(path.values())[-1])
    named = [
        body[name] for name in ("name", "email", "model", "training_file") if isinstance(body, dict) and name in body
    ]
    return str(named[0])[:120] if named else ""
