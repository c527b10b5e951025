"""Protected fields: values that are never sent, sent under a mask, or never written to the log. Pure.

The rules of a mapping see the record with its protected values already gone, so that no formula can bring one back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from expressions.functions import written
from mappings.choices import MASKED, NEVER_LOG, NEVER_SEND, REVERSIBLE

SHORTEST_REPEAT: Final = 4  # a shorter value stands in texts that have nothing to do with it
LONGEST_REPEAT: Final = 2_000  # nobody repeats a longer one word for word
LEFT_OUT: Final = "[left out]"
Pairs = tuple[tuple[str, str], ...]
Parts = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Protected:
    """`parts` are fields and custom as rules may see them; `masks` maps each mask that is to be undone to its value;
    `unlogged` are values that the log must not hold; `notes` says for each protected field what became of it.
    """

    parts: Parts
    masks: dict[str, Any] = field(default_factory=dict)
    unlogged: tuple[str, ...] = ()
    notes: tuple[tuple[str, str, str], ...] = ()


def protect(parts: Parts, rules: Pairs) -> Protected:
    """`parts` maps fields and custom to plain values, which stay as they are."""
    if not rules:
        return Protected(parts)
    return _Protecting({part: dict(values) for part, values in parts.items()}).by(rules)


@dataclass
class _Protecting:
    parts: Parts
    masks: dict[str, Any] = field(default_factory=dict)
    unlogged: list[str] = field(default_factory=list)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    # What stands in place of a value where another field repeats it.
    repeats: dict[str, str] = field(default_factory=dict)

    def by(self, rules: Pairs) -> Protected:
        for mode in (NEVER_LOG, NEVER_SEND, REVERSIBLE, MASKED):  # what is left out needs no mask
            for path, its_mode in rules:
                part, _, name = path.partition(".")
                if its_mode == mode and name in self.parts.get(part, {}):
                    self._one(mode, path, part, name)
        return Protected(self._without_repeats(), self.masks, tuple(dict.fromkeys(self.unlogged)), tuple(self.notes))

    def _one(self, mode: str, path: str, part: str, name: str) -> None:
        value = self.parts[part][name]
        if mode == NEVER_LOG:
            self.unlogged += texts_in(value)
            self.notes.append((path, mode, ""))
        elif mode == NEVER_SEND:
            self.repeats |= dict.fromkeys(texts_in(value), LEFT_OUT)
            del self.parts[part][name]
            self.notes.append((path, mode, ""))
        else:
            self.parts[part][name] = masked = self._masked(value, name, mode == REVERSIBLE)
            self.notes.append((path, mode, ", ".join(texts_in(masked))))

    def _masked(self, value: Any, name: str, reversible: bool) -> Any:
        """Each text and number within, under a mask of its own; the same value under the same mask."""
        if isinstance(value, dict):
            return {key: self._masked(inner, name, reversible) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._masked(inner, name, reversible) for inner in value]
        if value is None or value == "" or isinstance(value, bool):
            return value
        text = written(value)
        if text not in self.repeats:
            stem = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "FIELD"
            self.repeats[text] = f"[{stem}_{len(self.repeats) + 1}]"
        if reversible:
            self.masks[self.repeats[text]] = value
        return self.repeats[text]

    def _without_repeats(self) -> Parts:
        """A value that another field repeats (an address in the notes) is hidden there as well."""
        fit = {text: mask for text, mask in self.repeats.items() if SHORTEST_REPEAT <= len(text) <= LONGEST_REPEAT}
        if not fit:
            return self.parts
        found = re.compile("|".join(map(re.escape, sorted(fit, key=len, reverse=True))))
        return {part: _replaced(values, found, fit) for part, values in self.parts.items()}


def unmasked(value: Any, masks: dict[str, Any]) -> Any:
    """An answer with every mask undone, wherever it stands in it."""
    if not masks:
        return value
    found = re.compile("|".join(map(re.escape, sorted(masks, key=len, reverse=True))))
    return _replaced(value, found, masks)


def _replaced(value: Any, found: re.Pattern[str], by: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return found.sub(lambda match: written(by[match[0]]), value)
    if isinstance(value, dict):
        return {name: _replaced(inner, found, by) for name, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, found, by) for inner in value]
    return value


def texts_in(value: Any) -> list[str]:
    return list(_texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None and value != "" and not isinstance(value, bool):
        yield written(value)
