"""The key is accepted at the base URL, as the connection's own test finds it."""

from __future__ import annotations

from django.urls import reverse

from connections.actions import test_connection
from verification.subject import Outcome, Subject, call_ids, failed, link, log_links, passed, remedy_for


def run(subject: Subject) -> Outcome:
    tested = test_connection(subject.installation.connection, subject.context("connection"))
    calls = call_ids([tested.test_call_id])
    evidence = [link("Connection", reverse("connections:detail", args=[tested.pk])), *log_links(calls)]
    if tested.status in ("ok", "limited"):
        return passed(tested.status_text, evidence=evidence, calls=calls)
    remedy = remedy_for(tested.status_code, "Open the connection, and correct its base URL or replace its key.")
    return failed(tested.status_text, remedy, help_code=tested.status_code, evidence=evidence, calls=calls)
