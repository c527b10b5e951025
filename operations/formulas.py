"""Expressions in a form: a field of path or query that begins with = is worked out, and a body may be built as a whole. Pure.

They know what `context` gives: today, now, the installation, and the parts of a record if one was chosen (`key`, `fields`,
`custom`, as mappings have them). A text that begins with == is one that begins with =.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from expressions.bounded import ExpressionError, evaluate
from operations.fields.typed import Typed, as_json

SIGN = "="
# A form with more is nobody's; each of them may take a second.
MOST = 8
PLACES = ("path/", "query/")
Context = Mapping[str, Any]
SEVERAL = "It comes to {what}, and one value belongs here. Pick one, such as with [0]."
NOTHING = "It comes to nothing. Name what stands in for it, such as x ? x : “none”."
NO_BODY = "It comes to {what}, and a body is an object. Write it as {{“name”: value}}."


def context(name: str, model: str, now: datetime, record: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What expressions know. `now` is given to them in seconds since 1970, as OpenAI has times, `today` as 2026-11-21."""
    return {
        **(record or {}),
        "today": now.date().isoformat(),
        "now": int(now.timestamp()),
        "installation": {"name": name, "model": model},
    }


def is_formula(key: str, text: str) -> bool:
    """Whether what was typed at this place of a form is an expression."""
    return key.startswith(PLACES) and "#" not in key and text.startswith(SIGN) and not text.startswith(SIGN * 2)


def worked_out(typed: Typed, known: Context) -> tuple[Typed, dict[str, str]]:
    """The same with values in place of expressions, and what is wrong with those that have none, by path."""
    found, problems = dict(typed), {}
    left = MOST
    for key, text in typed.items():
        if is_formula(key, text):
            left -= 1
            try:
                found[key] = _written(_value(text, known) if left >= 0 else _too_many())
            except ExpressionError as error:
                found[key], problems[key] = "", error.sentence
        elif key.startswith(PLACES) and text.startswith(SIGN * 2):
            found[key] = text.removeprefix(SIGN)
    return found, problems


def body(expression: str, given: Any, known: Context) -> Any:
    """The body that an expression builds; it knows the body of the fields as `body`. Raises ExpressionError."""
    source = expression.replace(SIGN, " ", 1) if expression.startswith(SIGN) else expression
    value = evaluate(source, {**known, "body": given})
    if not isinstance(value, dict):
        raise ExpressionError(NO_BODY.format(what=_kind(value)))
    return value


def escaped(typed: Typed) -> Typed:
    """Worked out values as they would have to be typed."""
    return {k: f"{SIGN}{text}" if k.startswith(PLACES) and text.startswith(SIGN) else text for k, text in typed.items()}


def preview(method: str, address: str, sent: Any) -> str:
    """What is sent, in a few lines."""
    return f"{method} {address}" + ("" if sent is None else f"\n\n{as_json(sent)}")


def _value(text: str, known: Context) -> Any:
    # A blank in place of the sign: an error's place is counted as it was typed.
    return evaluate(text.replace(SIGN, " ", 1), dict(known))


def _too_many() -> Any:
    raise ExpressionError(f"A form has {MOST} expressions at most. Write the value itself.")


def _written(value: Any) -> str:
    """A value as it would have been typed."""
    if value is None:
        raise ExpressionError(NOTHING)
    if isinstance(value, (dict, list)):
        raise ExpressionError(SEVERAL.format(what=_kind(value)))
    return value if isinstance(value, str) else json.dumps(value)


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return kinds.get(type(value), "a number")
