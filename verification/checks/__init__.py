"""All checks, in the order in which they run. A new one is a file here and a line in this table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from verification.checks import (
    connection,
    field_mappings,
    logging,
    model,
    process,
    sample_pull,
    sample_push,
    signing_secret,
    throttle,
    webhook,
    workflow,
)
from verification.subject import Outcome, Subject


@dataclass(frozen=True)
class Check:
    """`about` says what the check tries, for as long as it has no result."""

    slug: str
    title: str
    run: Callable[[Subject], Outcome]
    group: str
    about: str


LIMITS, SYNC, PROCESS, FEATURES = "Connection and limits", "Data sync test", "Functionality test", "Features"
CHECKS: dict[str, Check] = {
    check.slug: check
    for check in (
        Check("connection", "Connection", connection.run, LIMITS, "OpenAI must accept the key at the base URL."),
        Check("model", "Model", model.run, LIMITS, "The model must answer a one-word prompt."),
        Check("throttle", "Throttle", throttle.run, LIMITS, "More calls than a small test limit allows must wait."),
        Check(
            "webhook", "Webhook round trip", webhook.run, LIMITS, "A background response must come back as an event."
        ),
        Check("signing-secret", "Signing secret", signing_secret.run, LIMITS, "A forged signature must be refused."),
        Check("sample-pull", "Sample pull, to the hub", sample_pull.run, SYNC, "The models must arrive as records."),
        Check("sample-push", "Sample push, from the hub", sample_push.run, SYNC, "A sample must be sent and answered."),
        Check("process", "One business process, end to end", process.run, PROCESS, "Record, OpenAI, event, record."),
        Check("field-mappings", "Field mappings", field_mappings.run, FEATURES, "Every rule must work on a sample."),
        Check("workflow", "Workflow trigger", workflow.run, FEATURES, "A changed record must start its flow."),
        Check("logging", "Logging", logging.run, FEATURES, "Every call of this verification must be in the log."),
    )
}
