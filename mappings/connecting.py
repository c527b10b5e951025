"""Putting a cord in: what rule comes of a source and a target. Pure."""

from __future__ import annotations

from dataclasses import replace

from mappings.apply import RuleSpec
from mappings.fields import Field
from mappings.paths import PathError, parts_of


def target_for(target: str, source: str, targets: list[Field]) -> str:
    """The target itself; below one that takes names, such as metadata, the name of the source."""
    takes_names = any(each.path == target and each.kind == "names" for each in targets)
    try:
        name = parts_of(source)[-1]
    except PathError:
        return target
    return f"{target}.{name.replace(' ', '_').replace('.', '_')}" if takes_names else target


def connected(rule: RuleSpec, source: str) -> RuleSpec:
    """The rule with one more source: a formula or a text takes it up, any other rule reads it from now on."""
    if rule.kind == "template":
        return replace(rule, source=f"{rule.source} {{{{ {source} }}}}".lstrip())
    if rule.kind == "formula" and rule.source.strip():
        return replace(rule, source=f'{rule.source} & " " & {source}')
    return replace(rule, source=source, kind="lookup" if rule.kind == "lookup" else "field")
