"""Sending what a form describes, and keeping what comes back.

    respond(request, installation, asked)   a page's whole answer to a POST: to the script a stream of what happens, to
                                            a browser without script the way to the finished answer
    run(installation, asked, actor)         for everything that is not a page: waits, and gives the kept answer

Both go through `connections.clients.client_for`, the only door, and both take the same steps:

    prepare   the answer's row and a passage; nothing is sent yet
    happen    over the wire, its bytes into a file, telling what happens
    finish    how it ended, as the log has it, and what a page shows of it
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts.actors import actor_of
from connections.clients import admin_client_for, client_for
from connections.models import Installation
from logs import redaction
from logs.context import Context
from logs.models import Call
from openai_api import errors, loop, transport
from openai_api.catalogue import OPERATIONS, find
from openai_api.client import Client
from openai_api.passage import Passage
from operations import keeping, outgoing, showing
from operations.asking import Asked
from operations.events import Events, text_of
from operations.models import Answer, PresetVersion

CAUSE = "operation"
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True)
class Event:
    """Something that happened: `begun`, `headers`, `text` (a piece of it), `size` (bytes so far), `done`."""

    name: str
    data: Any = None

    @property
    def written(self) -> bytes:
        return f"event: {self.name}\ndata: {json.dumps(self.data)}\n\n".encode()


@dataclass
class Sending:
    """A request on its way, and the row that its answer goes to."""

    answer: Answer
    passage: Passage
    asked: Asked
    failure: errors.CallError | None = None
    trouble: str = ""
    size: int = 0
    whole: bool = False


def run(installation: Installation, asked: Asked, actor: str, debug: bool = False) -> Answer:
    """Send it and wait for the whole answer. Whatever goes wrong stands in the answer that is given back.

    Raises NotPassedOn for a request that can't be sent as it is, RuntimeError inside a database transaction.
    """
    if connection.in_atomic_block:
        raise RuntimeError("OpenAI is never called inside a database transaction.")
    sending = prepare(installation, asked, actor, debug)
    try:
        loop.run(_to_its_end(sending))
    finally:
        finish(sending)
    return sending.answer


def respond(request: HttpRequest, installation: Installation, asked: Asked, debug: bool = False) -> HttpResponseBase:
    """What a view returns once its form is valid. The view needs the policy `operator` and takes POST only.

    With `debug`, the answer shows the exact request as it was sent, without the key. Raises NotPassedOn.
    """
    actor = actor_of(request).name
    if EVENT_STREAM not in request.headers.get("accept", ""):
        answer = run(installation, asked, actor, debug)
        return redirect(address_of(answer))
    response = StreamingHttpResponse(_told(prepare(installation, asked, actor, debug)), content_type=EVENT_STREAM)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def address_of(answer: Answer) -> str:
    return reverse("operations:answer", args=[answer.installation_id, answer.pk])


def prepare(installation: Installation, asked: Asked, actor: str, debug: bool) -> Sending:
    """Everything that can be refused before there is a call. Raises NotPassedOn."""
    client = client_of(installation, asked)
    forwarded = outgoing.forwarded(asked, client)
    version = PresetVersion.objects.filter(pk=asked.preset).first() if asked.preset else None
    label = str(version or asked.operation or find(asked.method, asked.path))
    context = Context(CAUSE, asked.preset, label[:200], actor, tags=version.tag if version else "")
    passage = client.forward(forwarded, context, asked.retries or client.retries)
    answer = Answer.objects.create(
        installation=installation,
        actor=actor,
        asked=asked.to_json(),
        call_id=passage.call_id,
        debug=as_sent(passage) if debug else "",
    )
    if version is not None:
        version.made(passage.call_id)
    return Sending(answer, passage, asked)


def client_of(installation: Installation, asked: Asked) -> Client:
    """The installation's client; the admin key is sent for what a form asks of the organization, and for nothing else."""
    operation = OPERATIONS.get(asked.operation)
    return admin_client_for(installation) if operation is not None and operation.admin else client_for(installation)


def as_sent(passage: Passage) -> str:
    """The request as it goes over the wire, with the key's place marked; its body as the log keeps it."""
    address, headers = transport.head_of(passage.request)
    lines = [f"{passage.request.method} {address} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    body = redaction.clean(passage.request.content.decode("utf-8", "replace")) or passage.logged.text
    return "\n".join([*lines, "", body]).rstrip()


async def _to_its_end(sending: Sending) -> None:
    async for _ in happen(sending):
        pass


async def happen(sending: Sending) -> AsyncGenerator[Event, None]:
    """Send it, keep what comes, and tell. Who closes this before its end hangs up, at OpenAI too."""
    passage, keeper = sending.passage, keeping.Keeper(sending.answer.pk)
    try:
        await passage.open(whole=False)
        yield Event("headers", {"status": passage.status, "type": passage.headers.get("content-type", "")})
        if passage.response is not None:
            async for event in _come(passage, keeper):
                yield event
            await keeper.carry_over()
            sending.whole = True
    except errors.CallError as error:
        sending.failure = error
    except OSError as error:
        sending.trouble = f"The answer could not be kept: {error.strerror}. Make room on the disk, then send it again."
    finally:
        sending.size = keeper.size
        await asyncio.shield(_over(passage, keeper))


async def _come(passage: Passage, keeper: keeping.Keeper) -> AsyncIterator[Event]:
    """The answer's bytes into the keeper; of a stream its text, else how much has come."""
    streamed = EVENT_STREAM in passage.headers.get("content-type", "")
    stream, told = Events(), 0
    async with aclosing(_clean(passage)) as chunks:
        async for chunk in chunks:
            await keeper.add(chunk)
            text = "".join(map(text_of, stream.feed(chunk))) if streamed else ""
            if text:
                yield Event("text", text)
            elif not streamed and keeper.size - told >= keeping.PIECE * 4:
                told = keeper.size
                yield Event("size", told)


async def _clean(passage: Passage) -> AsyncGenerator[bytes, None]:
    """Without the key, which a far side may repeat."""
    forgetter = passage.request.forgetter()
    async for chunk in passage.chunks():
        yield forgetter.feed(chunk)
    yield forgetter.rest()


async def _over(passage: Passage, keeper: keeping.Keeper) -> None:
    try:
        await passage.close()
    finally:
        await keeper.close()


async def _told(sending: Sending) -> AsyncIterator[bytes]:
    """What happens, for the script. A reader who hangs up ends this, and with it the call."""
    address = address_of(sending.answer)
    try:
        yield Event("begun", {"answer": address, "log": reverse("logs:detail", args=[sending.answer.call_id])}).written
        async with aclosing(happen(sending)) as events:
            async for event in events:
                yield event.written
    finally:
        await asyncio.shield(sync_to_async(finish)(sending))
    yield Event("done", {"answer": address}).written


def finish(sending: Sending) -> None:
    """Complete the answer's row from the log, and make ready what a page shows of it."""
    answer, passage = sending.answer, sending.passage
    answer.headers = redaction.headers(passage.headers)
    answer.size, answer.whole = sending.size, sending.whole
    _show(sending)
    call = Call.objects.filter(pk=passage.call_id).first()
    if sending.failure is not None and (call is None or not call.state_info.final):
        failure = sending.failure
        answer.end_without_call(failure.sentence, failure.code, failure.help_code)
    elif call is not None:
        answer.end_as(call)
    if sending.trouble or isinstance(sending.failure, keeping.TooLarge):
        answer.end_without_call(sending.trouble or str(sending.failure), "not_kept")


def _show(sending: Sending) -> None:
    answer, path = sending.answer, keeping.path_of(sending.answer.pk)
    if sending.passage.response is None or not path.is_file():
        return
    shown, parts = showing.show(path, answer.content_type, sending.asked.response_type)
    for number, part in enumerate(parts):
        keeping.write(keeping.path_of(answer.pk, number), part.content)
    answer.shown = shown.to_json()
