"""The key is accepted at the base URL, as the connection's own test finds it."""

from __future__ import annotations

from connections.actions import test_connection
from verification.subject import Outcome, Subject, call_ids, failed, log_links, passed


def run(subject: Subject) -> Outcome:
    tested = test_connection(subject.installation.connection, subject.context("connection"))
    calls = call_ids([tested.test_call_id])
    if tested.status in ("ok", "limited"):
        return passed(tested.status_text, evidence=log_links(calls), calls=calls)
    remedy = "Correct the connection or replace its key, then run this check again."
    return failed(tested.status_text, remedy, help_code=tested.status_code, evidence=log_links(calls), calls=calls)
