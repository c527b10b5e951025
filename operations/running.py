"""Sending what a form describes, and keeping what comes back.

    respond(request, installation, asked)   a page's whole answer to a POST: to the script a stream of what happens, to
                                            a browser without script the way to the finished answer
    run(installation, asked, actor)         for everything that is not a page: waits, and gives the kept answer

Both go through `connections.clients.client_for`, the only door.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.actors import actor_of
from connections.models import Installation
from operations.asking import Asked
from operations.models import Answer


def run(installation: Installation, asked: Asked, actor: str) -> Answer:
    """Send it and wait for the whole answer. Whatever goes wrong stands in the answer that is given back."""
    raise NotImplementedError


def respond(request: HttpRequest, installation: Installation, asked: Asked) -> HttpResponseBase:
    """What a view returns once its form is valid. The view needs the policy `operator` and takes POST only."""
    raise NotImplementedError(actor_of(request))
