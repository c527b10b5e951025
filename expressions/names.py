"""Which parts of a document an expression reads, as far as that stands in its text."""

from __future__ import annotations

from itertools import takewhile

from expressions.bounded import ExpressionError, _compiled, _nodes

Parts = tuple[str, ...]


def read_by(source: str) -> list[Parts]:
    """The names of each path in an expression, in no order and each once; none where it cannot be read.

    A path inside of a filter or a function is named as it stands there, whatever it is relative to.
    """
    try:
        nodes = list(_nodes(_compiled(source).ast))
    except ExpressionError:
        return []
    paths = (takewhile(lambda step: step.type == "name", node.steps) for node in nodes if node.type == "path")
    return [parts for parts in dict.fromkeys(tuple(step.value for step in path) for path in paths) if parts]
