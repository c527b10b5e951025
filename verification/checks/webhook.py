"""A small background response at OpenAI comes back as an event."""

from __future__ import annotations

import ipaddress
import time
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from openai_api.errors import CallError
from verification.subject import (
    Outcome,
    Subject,
    call_ids,
    failed,
    failed_call,
    link,
    log_links,
    passed,
    remedy_for,
    skipped,
)
from webhooks.models import Event
from webhooks.tasks import process

SECONDS, LOOK_EVERY = 20.0, 0.2
# What a worker may take to pick the event up before this process does it itself.
WORKER_SECONDS = 4.0


def run(subject: Subject) -> Outcome:
    if reason := cannot_come(subject):
        return skipped(*reason)
    request = {
        "model": subject.installation.model,
        "input": "Answer with the one word: ready",
        "background": True,
        "store": True,
    }
    try:
        answer = subject.client.call("create_response", json=request, context=subject.context("webhook"))
    except CallError as error:
        return failed_call(error)
    began, calls = time.monotonic(), call_ids([answer.call_id])
    event = wait_for_event(subject.installation.pk, str(answer.json.get("id", "")), SECONDS)
    if event is None:
        return failed(
            f"A background response was started, but no event of it came within {SECONDS:.0f} s.",
            "See at OpenAI that the webhook has this installation's address and is subscribed to response.completed; "
            "see under Webhooks whether the event was refused.",
            evidence=[link("Webhooks", reverse("webhooks:list")), *log_links(calls)],
            calls=calls,
        )
    took = time.monotonic() - began
    return _processed(event, took, calls)


def _processed(event: Event, took: float, calls: tuple[str, ...]) -> Outcome:
    event = see_processed(event)
    evidence = [link("Event", reverse("webhooks:detail", args=[event.pk])), *log_links(calls)]
    calls = (*calls, *event.call_ids)
    if event.state != "done":
        sentence = f"{event.event_type} came after {took:.1f} s, but was not processed. {event.error}"
        remedy = remedy_for(event.help_code, "Open the event: it names what was in the way, and can be replayed.")
        return failed(sentence, remedy, help_code=event.help_code, evidence=evidence, calls=calls)
    return passed(
        f"A background response came back as {event.event_type} after {took:.1f} s.", evidence=evidence, calls=calls
    )


def cannot_come(subject: Subject) -> tuple[str, str] | None:
    """Why no event can come, and what to do; None where one can."""
    if not subject.installation.signing_secret:
        return (
            "No signing secret is stored, so it is not known whether a webhook was made at OpenAI.",
            "Make the webhook at OpenAI with this installation's address, and enter its signing secret.",
        )
    if is_private(settings.PUBLIC_URL) and not is_private(subject.installation.connection.base_url):
        return (
            f"The far side cannot reach this server: its address, {settings.PUBLIC_URL}, is a private one.",
            "Set PUBLIC_URL to an address that can be reached from the Internet, and make the webhook for it.",
        )
    return None


def is_private(url: str) -> bool:
    """Whether an address names this machine or a private network. Names other than localhost count as public."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def wait_for_event(installation_id: int, object_id: str, seconds: float) -> Event | None:
    end = time.monotonic() + seconds
    while True:
        event = Event.objects.filter(installation_id=installation_id, object_id=object_id).first()
        if event is not None or time.monotonic() >= end:
            return event
        time.sleep(LOOK_EVERY)


def see_processed(event: Event) -> Event:
    """The event after its end. A worker has the first try; then this process does it, under the event's own lease."""
    end = time.monotonic() + SECONDS
    help_at = time.monotonic() + WORKER_SECONDS
    while not event.state_info.final and time.monotonic() < end:
        if time.monotonic() >= help_at:
            process.call(event.pk)
        time.sleep(LOOK_EVERY)
        event.refresh_from_db()
    return event
