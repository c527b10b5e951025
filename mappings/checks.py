"""What is wrong with a mapping's settings and rules, by field. The forms ask, and so does an import."""

from __future__ import annotations

from typing import Any

from expressions.bounded import ExpressionError, check
from expressions.places import check_template
from mappings.apply import record_target
from mappings.choices import EVENT, FROM_HUB, PROTECTIONS, TO_HUB
from mappings.paths import PathError, parts_of


def settings_problems(direction: str, operation: str | None, sync_type: str | None) -> dict[str, str]:
    """Field → sentence, for settings that don't go together."""
    problems = {}
    if sync_type == "delete" and direction == FROM_HUB:
        problems["sync_type"] = "A push deletes nothing at OpenAI. Choose another type, or the direction To hub."
    if operation == EVENT and direction == FROM_HUB:
        problems["operation"] = "Events come to the hub. Choose another operation, or the direction To hub."
    return problems


def expression_problem(source: str) -> str:
    """Why an expression can't be read, with the place; empty where it can, or there is none."""
    try:
        if source.strip():
            check(source)
    except ExpressionError as error:
        return error.sentence
    return ""


def target_problem(direction: str, target: str) -> str:
    try:
        parts_of(target) if direction == FROM_HUB else record_target(target)
    except PathError as error:
        return str(error)
    return ""


def source_problem(kind: str | None, source: str) -> str:
    """A formula must be one, and a path too; a static value is whatever it is."""
    try:
        if kind == "formula":
            check(source)
        elif kind == "template":
            check_template(source)
        elif kind in ("field", "lookup"):
            parts_of(source)
    except ExpressionError as error:
        return error.sentence
    except PathError as error:
        return str(error)
    return ""


def protection_problem(path: str, mode: str) -> str:
    if mode not in PROTECTIONS:
        return f"“{mode}” is none of {', '.join(PROTECTIONS)}. Write one of them."
    return target_problem(TO_HUB, path)


def rule_problems(direction: str, rule: dict[str, Any]) -> dict[str, str]:
    """Field → sentence, for a whole rule."""
    found = {
        "target": target_problem(direction, rule["target"]),
        "source": source_problem(rule["kind"], rule["source"]),
        "lookup": "A lookup needs at least one line." if rule["kind"] == "lookup" and not rule["lookup"] else "",
    }
    return {name: sentence for name, sentence in found.items() if sentence}
