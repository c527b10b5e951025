"""Deciding what became of a call, with its line in the audit trail, and sending one again."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from logs import audit
from logs.audit import Actor
from logs.models import Call
from openai_api import pricing
from openai_api.reading import Reading
from outcomes.models import Settlement
from outcomes.resending import why_not
from outcomes.states import DECISIONS
from outcomes.tasks import send_again

WORDS = {
    "done": "marked as carried out",
    "not_done": "marked as not carried out",
    "again": "sent again",
}


class Refusal(Exception):
    """What was not done, in a sentence."""


def settle(actor: Actor, call: Call, decision: str, note: str = "", used: Reading | None = None) -> bool:
    """Write down what became of a call. False when that was decided before, or its outcome is none that is unknown.

    `again` sends it once more, in the background. Raises Refusal where it can't be sent again from what the log holds.
    `used` is what OpenAI says that it counted; a row that has no usage takes it over.
    """
    if call.state != "unknown" or decision not in DECISIONS or not decision:
        return False
    if decision == "again" and (reason := why_not(call)):
        raise Refusal(reason)
    with transaction.atomic():
        row, _ = Settlement.objects.get_or_create(call_id=call.pk)
        values = {"decision": decision, "by": actor.name, "decided_at": timezone.now(), "look_at": None}
        if not Settlement.objects.filter(pk=row.pk, decision="").update(**values | ({"note": note} if note else {})):
            return False
        if used is not None:
            _fill(call, used)
        name = f"{call.title} {call.short_id}"
        audit.write(actor, WORDS[decision], "call", call.pk, name, {"reason": [None, note]} if note else None)
        if decision == "again":
            transaction.on_commit(lambda: send_again.enqueue(row.pk))
    return True


def _fill(call: Call, used: Reading) -> None:
    """Tokens, and their price on the day of the call, for a row whose answer never came to tell them."""
    if not used.tokens:
        return
    cost, basis = pricing.cost(used, call.model, call.created_at)
    model = call.model or used.model[:120]
    empty = Call.objects.filter(pk=call.pk, input_tokens=None, output_tokens=None, total_tokens=None, cost=None)
    empty.update(**used.tokens, cost=cost, price_basis=basis[:200], model=model)
