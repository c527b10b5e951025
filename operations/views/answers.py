"""Answers: the page of one, its body to be saved, and the pictures and sounds in it."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from operations import keeping
from operations.answers import context_of, file_name
from operations.models import Answer
from operations.showing import MEDIA
from ui.access import operator
from ui.htmx import is_partial, stop_polling

RANGE = re.compile(r"bytes=(\d{1,15})-(\d{1,15})?", re.ASCII)


@operator
@require_safe
def detail(request: HttpRequest, installation: int, pk: UUID) -> HttpResponse:
    """One answer; to htmx the card alone, which asks again until it is there."""
    answer = _get(installation, pk)
    if answer.state == "sending":
        keeping.settle(answer)
    context = context_of(answer)
    if not is_partial(request):
        return render(request, "operations/answer.html", context)
    response = render(request, "operations/_answer.html", context)
    return stop_polling(response) if answer.state_info.final and "poll" in request.GET else response


@operator
@require_safe
def body(request: HttpRequest, installation: int, pk: UUID) -> HttpResponseBase:
    """The body as it came: to be saved, or with `?show` in the page if it is a picture, sound or film."""
    answer = _get(installation, pk)
    kind = answer.content_type.partition(";")[0].strip().lower()
    return _file(request, keeping.path_of(answer.pk), kind, file_name(answer))


@operator
@require_safe
def part(request: HttpRequest, installation: int, pk: UUID, number: int) -> HttpResponseBase:
    answer = _get(installation, pk)
    parts = answer.shown.get("parts", [])
    if number >= len(parts):
        raise Http404
    kind = parts[number]["content_type"]
    name = f"{answer.pk.hex[-8:]}-{number + 1}.{MEDIA[kind]}"
    return _file(request, keeping.path_of(answer.pk, number), kind, name)


def _file(request: HttpRequest, path: Path, kind: str, name: str) -> HttpResponseBase:
    """Only what no browser takes for a page is shown under its own type. A player may ask for a piece, to jump in a sound."""
    if not path.is_file():
        raise Http404
    inline, whole = "show" in request.GET and kind in MEDIA, path.stat().st_size
    start, size = _range(request.headers.get("range", ""), whole)
    response = StreamingHttpResponse(
        keeping.pieces(path, start, size), content_type=kind if inline else "application/octet-stream"
    )
    if size != whole:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {start}-{start + size - 1}/{whole}"
    response.headers["Content-Length"] = str(size)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Content-Disposition"] = f'{"inline" if inline else "attachment"}; filename="{name}"'
    response.headers["Cache-Control"] = "private, max-age=600"
    return response


def _range(asked: str, whole: int) -> tuple[int, int]:
    """Start and size of the piece that is asked for (RFC 9110 §14.2); all of it where that can't be read."""
    found = RANGE.fullmatch(asked)
    if not found or int(found[1]) >= whole:
        return 0, whole
    start, last = int(found[1]), int(found[2] or whole - 1)
    return (start, min(last, whole - 1) - start + 1) if last >= start else (0, whole)


def _get(installation: int, pk: UUID) -> Answer:
    rows = Answer.objects.select_related("installation__connection")
    return get_object_or_404(rows, pk=pk, installation_id=installation)
