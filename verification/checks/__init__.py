"""All checks, in the order in which they run. A new one is a file here and a line in this table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from verification.checks import (
    connection,
    field_mappings,
    logging,
    model,
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
    slug: str
    title: str
    run: Callable[[Subject], Outcome]


CHECKS: dict[str, Check] = {
    check.slug: check
    for check in (
        Check("connection", "Connection", connection.run),
        Check("model", "Model", model.run),
        Check("throttle", "Throttle", throttle.run),
        Check("sample-pull", "Sample pull, to the hub", sample_pull.run),
        Check("sample-push", "Sample push, from the hub", sample_push.run),
        Check("webhook", "Webhook round trip", webhook.run),
        Check("signing-secret", "Signing secret", signing_secret.run),
        Check("field-mappings", "Field mappings", field_mappings.run),
        Check("workflow", "Workflow trigger", workflow.run),
        Check("logging", "Logging", logging.run),
    )
}
