"""Who may send a request that no form was just filled in for, and what is in its way. As forms and the raw request have it."""

from __future__ import annotations

from django.utils import timezone

from connections.models import Installation
from openai_api.catalogue import OPERATIONS
from operations import choosing, costly
from operations.asking import Asked


def role_for(asked: Asked) -> str:
    operation = OPERATIONS.get(asked.operation)
    if costly.consequence(asked.method, asked.path):
        return "administrator"
    return choosing.role_for(operation) if operation else "operator"


def obstacle(installation: Installation, asked: Asked, sure: str) -> str:
    """Why it is not sent, in a sentence: OpenAI ended the operation, or `sure` does not confirm something dangerous. Empty where
    nothing is in its way.
    """
    operation = OPERATIONS.get(asked.operation)
    offer = choosing.offer(operation, installation.connection, timezone.localdate()) if operation else None
    if offer and offer.refused:
        return offer.refused
    return "" if sure == costly.sure(asked.method, asked.path) else costly.consequence(asked.method, asked.path)
