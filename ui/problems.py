"""Pages that say no: what happened, why, what to do. They use no database and no context processor, so that they can
be shown when those are what failed. Machine addresses get the shape of OpenAI's errors instead of a page.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from ui.theme import theme_of

MACHINE_PATHS = ("/proxy/", "/hookapi/")


@dataclass(frozen=True)
class Problem:
    """One refusal in words: `what` happened, `why`, what `todo`. `code` is for machines (`error.code`)."""

    status: int
    code: str
    title: str
    what: str
    why: str
    todo: str


BAD_REQUEST = Problem(
    400,
    "bad_request",
    "This request cannot be read",
    "Patchbay stopped before doing anything.",
    "A part of the request is damaged, too long, or does not belong to this server.",
    "Go back, reload the page and try once more.",
)
FORBIDDEN = Problem(
    403,
    "forbidden",
    "This is not open to you",
    "Patchbay refused this request and changed nothing.",
    "The rules of this page do not allow it.",
    "Ask an administrator, and name the address of this page.",
)
NO_POLICY = Problem(
    403,
    "no_policy",
    "This page is closed",
    "Patchbay refused to open it.",
    "Nothing says who may open this page, and such pages stay closed to everyone.",
    "Report the address of this page to whoever maintains Patchbay.",
)
STALE_FORM = Problem(
    403,
    "stale_form",
    "This form is too old to be sent",
    "Patchbay did not take the form and changed nothing.",
    "Its security token does not match your browser: you signed in or out since it was opened, or cookies are blocked.",
    "Go back, reload the page, and send the form again. Copy long texts out of it before you reload.",
)
NOT_FOUND = Problem(
    404,
    "not_found",
    "There is no such page",
    "Nothing stands at this address.",
    "The address is mistyped, or what stood here was removed.",
    "Check the address, or start from the first page.",
)
WRONG_METHOD = Problem(
    405,
    "method_not_allowed",
    "This address cannot be opened like this",
    "Patchbay changed nothing.",
    "What stands here is done by a button or a form of another page, or it can only be read.",
    "Go back to the page it belongs to, reload it, and use the button there.",
)
SERVER_ERROR = Problem(
    500,
    "server_error",
    "Patchbay failed to answer",
    "An error in Patchbay itself stopped this request.",
    "The reason stands in Patchbay's own output, with the time of this moment. It is not shown here.",
    "Try again. If it fails again, give an administrator this address and the time.",
)


def role_needed(needed: str, role: str | None) -> Problem:
    have = f"you are signed in as {role}" if role else "you are signed in without a role"
    return Problem(
        403,
        "role_needed",
        f"This needs the role {needed}",
        "Patchbay refused to open the page and changed nothing.",
        f"It is open to the role {needed}, and {have}.",
        "Ask an administrator to change your role, or sign in as someone who has it.",
    )


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The page of a problem, or OpenAI's error shape (`{"error": {message, type, param, code}}`) for machines."""
    if request.path.startswith(MACHINE_PATHS):
        return _for_machines(problem)
    context = {"problem": problem, "theme": theme_of(request), "app_version": settings.VERSION}
    return HttpResponse(render_to_string("errors/problem.html", context), status=problem.status)


def _for_machines(problem: Problem) -> JsonResponse:
    kind = "server_error" if problem.status >= 500 else "invalid_request_error"
    message = f"{problem.title}. {problem.why} {problem.todo}"
    error = {"message": message, "type": kind, "param": None, "code": problem.code}
    return JsonResponse({"error": error}, status=problem.status)
