"""Formulas: JSONata, bounded in steps, seconds, depth and size, with regular expressions on RE2.

An expression is written by a person and runs on the server, so nothing it says may hang or fill it. The library's own
bounds count from compilation and not per evaluation; ours are set afresh for each evaluation, in a frame of its own.
"""

from __future__ import annotations

import copy
import difflib
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import re2
from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.jsonata import Jsonata

from expressions.functions import OURS

MAX_LENGTH: Final = 10_000
MAX_NESTING: Final = 60
MAX_STEPS: Final = 200_000
MAX_SECONDS: Final = 1.0
MAX_DEPTH: Final = 150
MAX_SIZE: Final = 1_000_000
MAX_MATCHES: Final = 10_000  # each costs RE2 a copy of the text
LONGEST_DATE: Final = 100  # the library reads dates with a regular expression that it makes of the picture
NODE_SIZE: Final = 8  # what a member of a list or object counts, beside its text
TOO_SHORT: Final = "S0203"  # of JSONata: the token it names is the one that is missing
MAX_MEMBERS: Final = 200_000  # of all lists and objects within a value
UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
TOO_DEEP: Final = f"A value in it is nested more than {MAX_NESTING} deep, or holds itself."
TOO_MANY: Final = f"A value in it has more than {MAX_MEMBERS:,} members."
OUTSIDE: Final = "The expression works outside its bounds: "


_library: Any = Jsonata  # the library is not typed
for _name, _call in OURS.items():  # once, into the frame that all evaluations stand on
    _library.static_frame.bind(_name, _library.JLambda(_call))

_Regexp: Any = type(re2.compile("x"))  # type: ignore[no-untyped-call]  # the library is not typed


class ExpressionError(Exception):
    """What is wrong with an expression. `position` counts characters from 0; line and column from 1; else None.

    `repair` is what the word at the position was probably meant to be, where that is known.
    """

    def __init__(self, message: str, position: int | None = None, source: str = "", repair: str = "") -> None:
        super().__init__(message)
        self.repair = repair
        self.message = message
        self.position = position
        self.line, self.column = line_and_column(source, position)

    @property
    def sentence(self) -> str:
        return f"Line {self.line}, character {self.column}: {self.message}" if self.line else self.message


def line_and_column(source: str, position: int | None) -> tuple[int | None, int | None]:
    if position is None:
        return None, None
    before = source[:position]
    return before.count("\n") + 1, position - before.rfind("\n")


class _Pattern(_Regexp):  # type: ignore[misc]  # the library is not typed
    """A regular expression whose search ends with an error after so many matches; split and sub search by it too."""

    def finditer(self, text: Any, pos: Any = None, endpos: Any = None) -> Iterator[Any]:
        for number, found in enumerate(super().finditer(text, pos, endpos)):
            if number >= MAX_MATCHES:
                raise ExpressionError(f"{OUTSIDE}a regular expression fits more than {MAX_MATCHES:,} places.")
            yield found


def check(source: str) -> None:
    """Raise `ExpressionError` unless the expression can be read and every function that it calls is there."""
    nodes = list(_nodes(_compiled(source).ast))
    known = {*_known(), *_named_here(nodes)}
    for node in nodes:
        called = node.procedure if node.type in ("function", "partial") else None
        if called is not None and called.type == "variable" and called.value not in known:
            at = source.rfind(called.value, 0, called.position)
            raise _no_function(called.value, at if at >= 0 else None, source)


def _known() -> set[str]:
    """The names of all functions, without $."""
    library: Any = Jsonata.static_frame  # the library is not typed
    return set(library.bindings)


def _nodes(root: Any) -> Iterator[Any]:
    """Every node of a compiled expression, whatever it is called where it hangs."""
    seen, waiting = set(), [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif hasattr(node, "type") and id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting.extend(vars(node).values())


def _named_here(nodes: list[Any]) -> Iterator[str]:
    """The names that an expression gives itself: by `:=`, and as parameters of its functions."""
    for node in nodes:
        if node.type == "bind":
            yield node.lhs.value
        elif node.type == "lambda":
            yield from (parameter.value for parameter in node.arguments)


def evaluate(source: str, document: Any) -> Any:
    """The expression's value on a document, as plain JSON data; None where it yields nothing.

    Raises `ExpressionError`, also when a bound is reached.
    """
    bounds = _Bounds(source)
    engine = copy.copy(_compiled(source))
    engine.set_validate_input(
        False
    )  # it walks the whole document, for every expression; `plain` sees to what comes out
    # The library keeps "the expression at work" per thread, and would take the clock of an earlier one.
    Jsonata.CURRENT.jsonata = engine
    try:
        return plain(engine.evaluate(document, bounds.bindings()), source)
    except ExpressionError:
        raise
    except Exception as error:
        raise _explained(error, source) from None


def plain(value: Any, source: str = "") -> Any:
    """A copy that holds nothing but JSON types, and no characters that neither a request nor a database takes.

    Raises `ExpressionError` for what is nested too deeply (or holds itself), has too many members, or is no JSON value.
    """
    return _Copy(source).of(value, 0)


@dataclass
class _Copy:
    source: str
    members: int = 0

    def of(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return UNSTORABLE.sub("\ufffd", value)
        if isinstance(value, dict | list):
            self.members += len(value)
            if depth > MAX_NESTING or self.members > MAX_MEMBERS:
                raise ExpressionError(TOO_DEEP if depth > MAX_NESTING else TOO_MANY, None, self.source)
            if isinstance(value, list):
                return [self.of(inner, depth + 1) for inner in value]
            return {UNSTORABLE.sub("\ufffd", str(name)): self.of(inner, depth + 1) for name, inner in value.items()}
        if (
            isinstance(value, float)
            and not math.isfinite(value)
            or isinstance(value, int)
            and value.bit_length() > 1023
        ):
            raise ExpressionError("The result is not a finite number.", None, self.source)
        if value is None or isinstance(value, bool | int | float):
            return value
        raise ExpressionError("The result is a function, not a value. Call it with ( ).", None, self.source)


def names_in(source: str, first: str) -> list[str]:
    """The second names of the paths that begin with `first`: of `answer.title & answer.text`, title and text.

    Raises `ExpressionError`.
    """
    found: dict[str, None] = {}
    for node in _nodes(_compiled(source).ast):
        steps = node.steps if node.type == "path" and isinstance(node.steps, list) else []
        if len(steps) > 1 and steps[0].type == steps[1].type == "name" and steps[0].value == first:
            found[str(steps[1].value)] = None
    return sorted(found)


@lru_cache(maxsize=1024)
def _compiled(source: str) -> Jsonata:
    _check_shape(source)

    def regex(pattern: str, flags: Any) -> Any:
        options = re2.Options()
        options.case_sensitive, options.one_line = not flags.case_insensitive, not flags.multiline
        options.log_errors, options.max_mem = False, 1 << 20
        try:
            return _Pattern(pattern, options)
        except re2.error as error:
            what = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
            at = source.find(f"/{pattern}")
            message = f"This regular expression cannot be used: {what}."
            raise ExpressionError(message, at if at >= 0 else None, source) from None

    try:
        return Jsonata(source, regex)
    except ExpressionError:
        raise
    except Exception as error:
        raise _explained(error, source) from None


def _check_shape(source: str) -> None:
    if not source.strip():
        raise ExpressionError("The expression is empty.", 0, source)
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"The expression is longer than {MAX_LENGTH:,} characters.", MAX_LENGTH, source)
    if "__evaluate" in source:  # the names under which the bounds are hooked in
        raise ExpressionError("Names that begin with __evaluate are reserved.", source.find("__evaluate"), source)
    depth = 0
    for position, character in enumerate(source):
        depth += (character in "([{") - (character in ")]}")
        if depth > MAX_NESTING:
            raise ExpressionError(f"Brackets are nested more than {MAX_NESTING} deep.", position, source)


@dataclass
class _Bounds:
    """The bounds of one evaluation."""

    source: str
    depth: int = 0
    steps: int = 0
    until: float = field(default_factory=lambda: time.monotonic() + MAX_SECONDS)

    def bindings(self) -> dict[str, Any]:
        """What is laid over the library's own frame: our two hooks, and functions that could multiply their input."""
        function: Any = Jsonata.JLambda  # the library is not typed
        return {
            "__evaluate_entry": self.enter,
            "__evaluate_exit": self.leave,
            "eval": function(self.no_eval),
            "append": function(self.append),
            "pad": function(self.pad),
            "join": function(self.join),
            "replace": function(self.replace),
            "toMillis": function(self.to_millis),
        }

    def enter(self, expression: Any, document: Any, frame: Any) -> None:
        self.depth += 1
        self.steps += 1
        if self.depth > MAX_DEPTH:
            raise self.stop(f"it calls itself more than {MAX_DEPTH} deep.", expression)
        if self.steps > MAX_STEPS:
            raise self.stop(f"it takes more than {MAX_STEPS:,} steps.", expression)
        self.in_time(expression)

    def leave(self, expression: Any, document: Any, frame: Any, result: Any) -> None:
        self.depth -= 1
        if weight(result) > MAX_SIZE:
            raise self.stop(f"a value in it is larger than {MAX_SIZE:,} characters.", expression)

    def stop(self, why: str, expression: Any = None) -> ExpressionError:
        position = getattr(expression, "position", None)
        return ExpressionError(OUTSIDE + why, position if isinstance(position, int) else None, self.source)

    def in_time(self, expression: Any = None) -> None:
        if time.monotonic() > self.until:
            raise self.stop(f"it takes longer than {MAX_SECONDS:g} s.", expression)

    def bounded(self, size: float, name: str) -> None:
        if size > MAX_SIZE:
            raise self.stop(f"{name} would make a text of more than {MAX_SIZE:,} characters.")

    def no_eval(self, *_: Any) -> Any:
        raise ExpressionError("$eval is not available here.", self.source.find("$eval"), self.source)

    def append(self, first: Any = None, second: Any = None) -> Any:
        self.in_time()  # $reduce calls it without a step of its own
        return Functions.append(first, second)

    def pad(self, text: Any = None, width: Any = 0, filler: Any = None) -> Any:
        self.bounded(abs(width), "$pad")
        return Functions.pad(text, int(width), filler)

    def join(self, parts: Any = None, separator: Any = None) -> Any:
        self.bounded(weight(parts) + len(separator or "") * (len(parts) if isinstance(parts, list) else 1), "$join")
        return Functions.join([parts] if isinstance(parts, str) else parts, separator)

    def replace(self, text: Any = None, pattern: Any = None, replacement: Any = None, limit: Any = None) -> Any:
        if isinstance(text, str) and isinstance(replacement, str):
            places = text.count(pattern) if isinstance(pattern, str) else len(text) + 1
            self.bounded(len(text) + places * len(replacement), "$replace")
        return Functions.replace(text, pattern, replacement, limit)

    def to_millis(self, date: Any = None, picture: Any = None) -> Any:
        if any(isinstance(text, str) and len(text) > LONGEST_DATE for text in (date, picture)):
            raise self.stop(f"a date for $toMillis is longer than {LONGEST_DATE} characters.")
        return Functions.datetime_to_millis(date, picture)


def weight(value: Any) -> int:
    """About how many characters a value has when written out; counting ends soon after `MAX_SIZE`.

    A list may hold the same list many times over, so that little memory writes out as very much.
    """
    total, waiting = 0, [value]
    while waiting and total <= MAX_SIZE:
        here = waiting.pop()
        if isinstance(here, str):
            total += len(here)
        elif isinstance(here, dict):
            total += NODE_SIZE * len(here) + sum(map(len, map(str, here)))
            waiting.extend(here.values())
        elif isinstance(here, list):
            total += NODE_SIZE * len(here)
            if total <= MAX_SIZE:
                waiting.extend(here)
    return total


def _explained(error: Exception, source: str) -> ExpressionError:
    """The library's error in one sentence, with the place where it happened as far as that is known."""
    if isinstance(error, RecursionError):
        return ExpressionError("The expression is nested too deeply.", None, source)
    if not isinstance(error, JException):
        return ExpressionError(f"It failed on this record: {error}.", None, source)
    position = _position(error, source)
    if error.error in ("T1005", "T1006") and isinstance(error.current, str):
        return _no_function(error.current, position, source)
    text = str(error).removeprefix("JSONataException ").rstrip(".")
    return ExpressionError(f"{text}.", position, source)


def _position(error: JException, source: str) -> int | None:
    """The library reports where a token ends; we want where it begins."""
    token = str(error.current) if error.current is not None else ""
    if error.location < 0:
        return source.find(token) if token and source.count(token) == 1 else None
    if token in ("(end)", "") or error.error == TOO_SHORT:
        return min(error.location, len(source))
    begin = source.rfind(token, 0, error.location)
    return begin if begin >= 0 else min(error.location, len(source))


def _no_function(name: str, position: int | None, source: str) -> ExpressionError:
    close = difflib.get_close_matches(name.removeprefix("$"), sorted(_known() - {"eval"}), n=1)
    message = f"There is no function {name}." + (f" Use ${close[0]}." if close else " Function names begin with $.")
    if not close or position is None:
        return ExpressionError(message, position, source)
    has_sign = position > 0 and source[position - 1] == "$"
    return ExpressionError(message, position, source, close[0] if has_sign else f"${close[0]}")
