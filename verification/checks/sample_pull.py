"""The account's models come into the hub as Model records."""

from __future__ import annotations

from django.urls import reverse

from flows.actions import pull_now
from logs.models import Call
from verification.checks.running import not_done
from verification.subject import Outcome, Subject, call_ids, link, log_links, passed, run_link, skipped


def run(subject: Subject) -> Outcome:
    if subject.installation.connection.missing_permission == "api.model.read":
        return skipped(
            "The key may not list models, so there is nothing that this check could pull.",
            "Allow Models (read) for this key at OpenAI, run the check of the connection, then this one.",
        )
    before = set(Call.objects.filter(correlation_id=subject.verification.correlation_id).values_list("pk", flat=True))
    pulled = pull_now(subject.actor, subject.installation, "models", subject.verification.correlation_id)
    if pulled.state != "done":
        return not_done(pulled)
    made = Call.objects.filter(correlation_id=pulled.correlation_id).exclude(pk__in=before)
    calls = call_ids(made.values_list("pk", flat=True))
    records = link("Records", f"{reverse('records:list')}?entity={pulled.entity}")
    return passed(
        f"{pulled.total} models read, each is a {pulled.entity} record in the hub.",
        evidence=[run_link(pulled), records, *log_links(calls)],
        calls=calls,
    )
