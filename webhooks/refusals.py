"""Why a delivery is refused: the HTTP status, OpenAI-shaped code, help page and sentence of each reason."""

from __future__ import annotations

from dataclasses import dataclass

from ui import help


@dataclass(frozen=True)
class Reason:
    """`slug` is stored and answered as the error's code; `help_code` may be empty."""

    slug: str
    status: int
    label: str
    sentence: str
    help_code: str = ""


REASONS: dict[str, Reason] = {
    reason.slug: reason
    for reason in (
        Reason("not_found", 404, "Unknown address", "Nothing receives events at this address."),
        Reason("method_not_allowed", 405, "Wrong method", "Events are received by POST only."),
        Reason(
            "invalid_webhook_key",
            401,
            "Wrong webhook key",
            "The webhook key in the address is unknown or was replaced. Copy the address from the installation's page.",
            help.WEBHOOK_TOKEN_WRONG,
        ),
        Reason(
            "unknown_entity",
            404,
            "Unknown entity",
            "The address names an entity that the hub does not have. Copy the address from the installation's page.",
        ),
        Reason(
            "oversized",
            413,
            "Too large",
            "The event is larger than 256 kB. OpenAI's events are thin, so this did not come from there.",
            help.EVENT_OVERSIZED,
        ),
        Reason(
            "signature_missing",
            400,
            "Signature missing",
            "This installation has a signing secret, and the event carries no webhook-id, timestamp or signature.",
            help.SIGNATURE_FORGED,
        ),
        Reason(
            "signature_stale",
            400,
            "Signed too long ago",
            "The event was signed more than 5 minutes before or after its arrival. Compare the clocks.",
            help.SIGNATURE_STALE,
        ),
        Reason(
            "signature_wrong",
            401,
            "Signature does not fit",
            "The signature does not fit the signing secret stored here. If the secret was renewed, store the new one.",
            help.SIGNATURE_FORGED,
        ),
        Reason("malformed", 400, "Not an event", "The body is not a JSON event of OpenAI with a type."),
    )
}


class Refused(Exception):
    """A delivery that is not accepted. `reason` says everything about it, and holds nothing of what was sent."""

    def __init__(self, slug: str) -> None:
        self.reason = REASONS[slug]
        super().__init__(self.reason.sentence)
