"""Presets sent with a record of the hub: their places are expressions of the one language, and the record is what those see.

Presets stand beside mappings and know nothing of them; here both are known, and the hub.
"""

from __future__ import annotations

from typing import Any

from expressions import bounded as expressions
from mappings.apply import Problem, RecordView, timestamp
from mappings.choices import EVENT, OPERATIONS
from operations import places
from operations.asking import Asked
from operations.outgoing import operation_of

# What a run can take up: the answers that mappings to the hub know.
SENDABLE = {name: label for name, label in OPERATIONS if name != EVENT}


def fill(asked: Asked, record: RecordView, model: str) -> tuple[Asked, list[places.Problem]]:
    """The request for a record, and the places for which the record has nothing. `model` is the installation's."""
    document = record.as_dict() | {"model": model, "now": timestamp()}

    def evaluate(expression: str) -> Any:
        try:
            return expressions.evaluate(expression, document)
        except expressions.ExpressionError as error:
            raise places.NotFilled(error.sentence) from None

    return places.filled(asked, evaluate)


def body_for(asked: Asked, record: RecordView, model: str) -> tuple[dict[str, Any], list[Problem]]:
    """The body that a run sends for a record, or why it sends none."""
    refused = flow_problem(asked)
    if refused:
        return {}, [Problem(f"The preset can't be sent by a flow. {refused}")]
    made, problems = fill(asked, record, model)
    return made.body, [Problem(each.sentence, target=each.where, source=each.expression) for each in problems]


def flow_problem(asked: Asked) -> str:
    """Why a flow can't send this, in sentences; empty where it can."""
    if operation_of(asked) not in SENDABLE:
        return f"A flow can send {', '.join(SENDABLE.values())}. This is {asked.method} {places.unquoted(asked.path)}."
    if not isinstance(asked.body, dict):
        return "It has no JSON body. Give it one, without files or form data."
    if asked.stream:
        return "It streams its answer, and a flow waits for the whole. Turn off stream, and save the preset."
    if asked.query or asked.headers:
        return "It has query parameters or headers, which a flow does not send. Take them out, and save the preset."
    return ""
