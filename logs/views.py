"""The integration log (list, live rows, one call) and the audit trail."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from logs import browse
from logs.detail import REQUEST, SHOWN_RELATED, Part, detail_of, usage_of, waits_for
from logs.filters import FilterForm, Filters, without
from logs.links import address, cause_link, tag_link
from logs.models import AuditEntry, Call
from logs.timeline import timeline
from ui.access import administrator, viewer
from ui.htmx import is_partial, stop_polling
from ui.paging import keyset_page

MOST_LIVE = 500  # rows that a page may grow to


@viewer
@require_safe
def call_list(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    filters = form.filters()
    calls = browse.matching(filters)
    if "after" in request.GET and is_partial(request):
        return _live_rows(request, filters, calls)
    form.offer(
        installation=browse.installation_choices(),
        operation=browse.choices_of("operation"),
        model=browse.choices_of("model"),
        cause=browse.choices_of("cause"),
    )
    page = keyset_page(calls, request.GET.get("cursor"))
    grows = page.newer_cursor is None and browse.can_grow(filters)
    paused = request.GET.get("live") == "off"
    context = {
        "form": form,
        "chips": form.chips(request.GET),
        "page": page,
        "count": browse.counted(calls, page),
        "show_installation": filters.installation_id is None,
        "empty_log": not page.rows and not Call.objects.exists(),
        "live_query": _live_query(request, page.rows, shown=0) if grows and not paused else "",
        "switch_query": without(request.GET, "live", **({} if paused else {"live": "off"})) if grows else None,
        "paused": paused,
    }
    return render(request, "logs/list.html", context)


def _live_rows(request: HttpRequest, filters: Filters, calls: browse.Calls) -> HttpResponse:
    """Newer rows to go on top, and shown rows that changed. 204: nothing new; 286: the list cannot or must not grow."""
    newest = request.GET["after"]
    new, changed = browse.newer_than(calls, newest), browse.changed_since(request.GET.getlist("open"))
    if new and not newest:
        return HttpResponseClientRefresh()
    shown = _number(request.GET.get("shown", "")) + len(new)
    full = len(new) > browse.LIVE_ROWS or shown > MOST_LIVE
    over = full or not (browse.can_grow(filters) or new or changed)
    if not (new or changed or over):
        return HttpResponse(status=204)
    context = {
        "new": [] if full else new,
        "changed": changed,
        "full": full,
        "count": browse.counted(calls) if new else None,
        "show_installation": filters.installation_id is None,
        "live_query": "" if over else _live_query(request, new, shown),
        "newest_query": without(request.GET),
    }
    response = render(request, "logs/_live.html", context)
    return stop_polling(response) if over else response


def _live_query(request: HttpRequest, rows: list[Call], shown: int) -> str:
    newest = str(rows[0].pk) if rows else request.GET.get("after", "")
    return without(request.GET, "live", after=newest, shown=str(shown))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


@viewer
@require_safe
def call_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One call. While it is not finished, the page asks for its inner part every second."""
    call = Call.objects.filter(pk=pk).first()
    if call is None:
        return render(request, "logs/missing.html", {"pk": pk}, status=404)
    detail = detail_of(call, request.GET.get("attempt", ""))
    context = {
        "call": call,
        "detail": detail,
        "timeline": timeline(call, detail.attempts, timezone.now(), waits_for(call)),
        "request_part": Part(detail.bodies.get(REQUEST), request.GET.get("request", "body")),
        "answer_part": Part(detail.bodies.get(detail.chosen), request.GET.get("answer", "body")),
        "usage": usage_of(call),
        "cause": cause_link(call),
        "tags": [(word, tag_link(call, word)) for word in call.tags.split(", ") if word],
        "installation_url": address("installations:detail", call.installation_id),
        "connection_url": address("connections:detail", call.connection_id),
        "related": detail.related[:SHOWN_RELATED],
        "more_related": len(detail.related) > SHOWN_RELATED,
    }
    if not is_partial(request):
        return render(request, "logs/detail.html", context)
    response = render(request, "logs/_call.html", context)
    return stop_polling(response) if call.state_info.final else response


@administrator
@require_safe
def audit_list(request: HttpRequest) -> HttpResponse:
    entries = AuditEntry.objects.order_by("-created_at", "-id")
    return render(request, "logs/audit.html", {"page": keyset_page(entries, request.GET.get("cursor"))})
