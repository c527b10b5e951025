"""The editor: fields and cords, rules, the preview on a sample, and one real call. Every state of it is a page of its own."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors import actor_of
from mappings import actions, tables
from mappings.connecting import connected, target_for
from mappings.editor import Editor, editor
from mappings.forms import RuleForm, note_in
from mappings.models import Mapping, Rule
from mappings.once import run_once
from mappings.repairing import repaired
from ui.access import administrator, operator, person_of, viewer
from ui.htmx import is_partial
from ui.ids import id_in

# Buttons of the rule's form that change what is typed and save nothing.
CHANGES = ("table", "repair", "try", "step")
MOST_CSV = 1_000_000


@viewer
@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A mapping on a sample; a POST tries it on the sample that was typed, and changes nothing."""
    return _page(request, editor(_mapping(pk), request.POST or request.GET))


@administrator
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest, pk: int, rule_pk: int | None = None) -> HttpResponse:
    """One rule, new or old, in the editor. Every keystroke tries it; only "Save rule" saves it."""
    mapping = _mapping(pk)
    row = get_object_or_404(mapping.rules, pk=rule_pk) if rule_pk else Rule(mapping=mapping)
    if request.method != "POST":
        return _page(request, editor(mapping, request.GET, RuleForm(instance=row, initial=_beginning(request, row))))
    given, csv_error = _changed(request)
    form = RuleForm(given, instance=row)
    if not any(name in given for name in CHANGES) and form.is_valid():
        actions.save_rule(actor_of(request), form.instance, form.values(), note_in(request.POST))
        return _back(request, pk)
    form.csv_error = csv_error
    return _page(request, editor(mapping, given, form))


@administrator
@require_http_methods(["GET", "HEAD", "POST"])
def connect(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a cord in. A target that is free gets a rule at once; one that has a rule opens it with the source in place.

    A cord that was refused leaves this address in the browser: loaded again, it leads back to the mapping.
    """
    mapping = _mapping(pk)
    if request.method != "POST":
        return redirect("mappings:detail", pk)
    shown = editor(mapping, request.POST)
    source = request.POST.get("source", "")
    target = target_for(request.POST.get("target", ""), source, shown.targets)
    there = mapping.rules.filter(target=target).first()
    if there is not None:
        return _back(request, pk, there.pk, add=source)
    required = any(each.path == target and each.required for each in shown.targets)
    given = QueryDict(mutable=True)
    given.update({"kind": "field", "target": target, "source": source, "update_mode": "overwrite"})
    given.update({"required": "on"} if required else {})
    form = RuleForm(given, instance=Rule(mapping=mapping))
    if not form.is_valid():
        return _page(request, editor(mapping, given, form))
    actions.save_rule(actor_of(request), form.instance, form.values())
    return _back(request, pk, form.instance.pk)


@administrator
@require_POST
def move_rule(request: HttpRequest, pk: int, rule_pk: int) -> HttpResponse:
    """One place up or down, or to the place (from 1) that it was dragged to."""
    row = get_object_or_404(_mapping(pk).rules, pk=rule_pk)
    place = request.POST.get("place", "")
    if place.isascii() and place.isdigit() and len(place) < 6:
        step = int(place) - 1 - list(row.mapping.rules.values_list("pk", flat=True)).index(row.pk)
    else:
        step = -1 if request.POST.get("step") == "up" else 1
    actions.move_rule(actor_of(request), row, step)
    return _back(request, pk)


@administrator
@require_POST
def delete_rule(request: HttpRequest, pk: int, rule_pk: int) -> HttpResponse:
    actions.delete_rule(actor_of(request), get_object_or_404(_mapping(pk).rules, pk=rule_pk))
    return _back(request, pk)


@operator
@require_POST
def once(request: HttpRequest, pk: int) -> HttpResponse:
    """Really send what the preview shows, the rule in hand included, and show what the answer would change."""
    mapping, form = _mapping(pk), None
    if "target" in request.POST:
        row = mapping.rules.filter(pk=id_in(request.POST.get("rule", ""))).first()
        form = RuleForm(request.POST, instance=row or Rule(mapping=mapping))
    shown = editor(mapping, request.POST, form)
    if shown.shown is not None:
        shown.once = run_once(mapping, shown.spec, shown.document, actor_of(request))
    return _page(request, shown, "mappings/_once.html")


def _mapping(pk: int) -> Mapping:
    return get_object_or_404(Mapping.objects.select_related("installation__connection"), pk=pk)


def _page(request: HttpRequest, shown: Editor, part: str = "mappings/_live.html") -> HttpResponse:
    """The whole page, or for htmx the part of it that follows what is typed."""
    person = person_of(request)
    context: dict[str, Any] = {
        "editor": shown,
        "mapping": shown.mapping,
        "can_edit": person is not None and person.has_role("administrator"),
        "can_run": person is not None and person.has_role("operator"),
    }
    if is_partial(request) and request.method == "POST":
        return render(request, part, context | {"live": True})
    return render(request, "mappings/editor.html", context)


def _back(request: HttpRequest, pk: int, rule_pk: int | None = None, **more: str) -> HttpResponse:
    """On to the mapping or one of its rules, with the same record in sight."""
    args, name = ([pk, rule_pk], "rule_edit") if rule_pk else ([pk], "detail")
    kept = QueryDict(mutable=True)
    kept.update({key: value for key in ("record", "all") if (value := request.POST.get(key))} | more)
    return redirect(reverse(f"mappings:{name}", args=args) + (f"?{kept.urlencode()}" if kept else ""))


def _beginning(request: HttpRequest, row: Rule) -> dict[str, Any]:
    """What a rule's form begins with: a target that was picked, a source that a cord brings."""
    if row.pk:
        source = request.GET.get("add", "")
        made = connected(row.spec(), source) if source else row.spec()
        return {"kind": made.kind, "source": made.source}
    return {name: request.GET[name] for name in ("target", "source") if request.GET.get(name)}


def _changed(request: HttpRequest) -> tuple[QueryDict, str]:
    """The form as its buttons changed it: a line more or less in the lookup table, CSV taken in, a name corrected.

    Also what is wrong with the CSV, if anything is.
    """
    given = request.POST.copy()
    if "repair" in given:
        given["source"] = repaired(given.get("source", ""), given.get("repair", ""))
    if "table" not in given:
        return given, ""
    lines = list(zip(given.getlist("table_from"), given.getlist("table_to"), strict=False))
    action, _, number = given.get("table", "").partition("-")
    try:
        if action == "import":
            lines = tables.merged(lines, tables.from_csv(_csv(request)))
            given["csv"] = ""
        elif action == "remove" and number.isascii() and number.isdigit():
            lines[int(number) : int(number) + 1] = []
        elif action == "add":
            lines.append(("", ""))
    except tables.TableError as error:
        return given, str(error)
    given.setlist("table_from", [source for source, _ in lines])
    given.setlist("table_to", [value for _, value in lines])
    return given, ""


def _csv(request: HttpRequest) -> str:
    """The text of the file that was chosen, else what was pasted. Raises `TableError`."""
    file: Any = request.FILES.get("csv_file")
    if file is None:
        return request.POST.get("csv", "")
    if file.size > MOST_CSV:
        raise tables.TableError(f"The file is larger than {MOST_CSV // 1_000_000} MB. Shorten it.")
    try:
        text: str = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise tables.TableError("The file is not UTF-8 text. Save it as CSV in UTF-8, then choose it again.") from None
    return text
