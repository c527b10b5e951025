"""The fields of a form, ready for a template: label, control, text as typed, help, error, and the buttons they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from openai_api.catalogue.shapes import SCALARS, Kind, Schema, Shapes, spaced, step
from operations.fields.checks import bounds, listed
from operations.fields.typed import branch_typed, rows

Control = Literal["input", "area", "number", "select", "picker", "file", "json", "hidden", "group", "union", "absent"]
LONG = 60
# Beyond this depth a part is edited as JSON: a page that goes on within itself would have no end.
DEEPEST = 12
SHOWN_AT_ONCE = 4
# Texts that people write, not values that they pick: they get more than one line.
PROSE = {"instructions", "input", "content", "text", "prompt", "description", "arguments", "output", "system_prompt"}
# Texts that may be the content of a file, as a data: URL.
EMBEDDED = {"image_url", "file_data"}
ACRONYMS = {"id": "ID", "ids": "IDs", "url": "URL", "api": "API", "json": "JSON", "mcp": "MCP", "n": "n", "ttl": "TTL"}


@dataclass(frozen=True)
class Look:
    """How one field is drawn where that differs from what its schema gives. `choices` are suggestions; what others offer
    depends on a field that `refreshes`.
    """

    label: str = ""
    help: str = ""
    control: Literal["", "area", "json"] = ""
    choices: tuple[str, ...] = ()
    refreshes: bool = False


@dataclass
class Field:
    """One field. `path` is its name in the form; `children` are its parts, of which `more` are folded away."""

    path: str
    label: str
    kind: Kind
    control: Control
    text: str = ""
    help: str = ""
    error: str = ""
    required: bool = False
    deprecated: bool = False
    options: list[tuple[str, str]] = field(default_factory=list)
    children: list[Field] = field(default_factory=list)
    more: list[Field] = field(default_factory=list)
    more_open: bool = False
    shape: str = ""
    removable: bool = False
    growing: bool = False
    key: str | None = None
    is_row: bool = False
    can_be_json: bool = False
    many: bool = False
    focus: bool = False
    embeds: bool = False
    refreshes: bool = False

    @property
    def id(self) -> str:
        return "f-" + "".join(letter if letter.isalnum() else "-" for letter in self.path)

    @property
    def name(self) -> str:
        """What the control is called in the form."""
        return f"{self.path}#json" if self.control == "json" else self.path

    @property
    def noun(self) -> str:
        """The label within a sentence or on a button."""
        return self.label[:1].lower() + self.label[1:] if self.label[1:2].islower() else self.label

    @property
    def one(self) -> str:
        """What one row of it is called."""
        return _one_of(self.noun)

    @property
    def wrong(self) -> bool:
        """Whether it or any part of it has an error."""
        return bool(self.error) or any(part.wrong for part in [*self.children, *self.more])

    @property
    def lines(self) -> int:
        return min(max(self.text.count("\n") + 1, 3), 16)


@dataclass(frozen=True)
class Drawing:
    """Draws fields of one form. `looks` is path → look; `models` are the account's, as value and remark; `expected` are paths
    that everybody fills in, though the schema does not demand it; `words` is name of a field → what it is for.
    """

    shapes: Shapes
    typed: Mapping[str, str]
    problems: Mapping[str, str]
    looks: Mapping[str, Look] = field(default_factory=dict)
    models: tuple[tuple[str, str], ...] = ()
    focus: str = ""
    expected: frozenset[str] = frozenset()
    words: Mapping[str, str] = field(default_factory=dict)

    def parts(self, schema: Schema, path: str, depth: int = 0) -> list[Field]:
        """The fields of an object, in its own order."""
        needed = self.shapes.required(schema)
        properties = self.shapes.properties(schema)
        return [self.draw(part, step(path, name), name, name in needed, depth) for name, part in properties.items()]

    def draw(self, schema: Schema, path: str, name: str, required: bool, depth: int = 0, label: str = "") -> Field:
        look, opened = self.looks.get(path, Look()), self.shapes.open(schema)
        kind = self.shapes.kind(opened)
        drawn = Field(
            path=path,
            label=label or look.label or label_of(name),
            kind=kind,
            control="input",
            help=look.help or f"{self.words.get(name, '')} {self._help(opened, kind)}".strip(),
            error=self.problems.get(path, ""),
            required=required or path in self.expected,
            deprecated=bool(opened.get("deprecated")),
            focus=bool(self.focus) and self.focus == path,
            refreshes=look.refreshes,
        )
        as_text = look.control == "json" and not self._is_there(path)
        if f"{path}#json" in self.typed or kind == "json" or as_text or depth >= DEEPEST:
            return self._as_json(drawn, kind)
        if kind in SCALARS:
            return self._scalar(drawn, opened, name, look)
        if kind == "file":
            array = any(self.shapes.open(part).get("type") == "array" for part in opened.get("anyOf", ()))
            return replace(drawn, control="file", many=array)
        return self._with_parts(drawn, opened, depth)

    def _as_json(self, drawn: Field, kind: Kind) -> Field:
        text = self.typed.get(f"{drawn.path}#json", self.typed.get(drawn.path, ""))
        back = kind not in ("json", *SCALARS)
        return replace(drawn, control="json", text=text, can_be_json=False, growing=back, removable=False)

    def _scalar(self, drawn: Field, schema: Schema, name: str, look: Look) -> Field:
        drawn.text = self.typed.get(drawn.path, "")
        known = [str(value) for value in schema.get("enum", ())]
        if len(known) == 1 and drawn.required:
            return replace(drawn, control="hidden", text=known[0])
        if drawn.kind == "boolean":
            return replace(drawn, control="select", options=_options(("true", "false"), drawn, schema))
        if drawn.kind == "choice":
            return replace(drawn, control="select", options=_options(tuple(known), drawn, schema))
        if schema.get("model"):
            return replace(drawn, control="picker", options=list(self.models))
        if suggested := look.choices or tuple(schema.get("suggest", ())):
            return replace(drawn, control="picker", options=[(value, "") for value in suggested])
        if drawn.kind in ("integer", "number"):
            return replace(drawn, control="number")
        drawn.embeds = name in EMBEDDED or drawn.path.endswith("/image_url/url")
        long = look.control == "area" or name in PROSE or "\n" in drawn.text or len(drawn.text) > LONG
        return replace(drawn, control="area" if long else "input")

    def _with_parts(self, drawn: Field, schema: Schema, depth: int) -> Field:
        path = drawn.path
        if not self._is_there(path):
            return replace(drawn, control="absent")
        drawn.can_be_json, drawn.removable = True, not drawn.required
        if drawn.kind == "union":
            return self._union(drawn, schema, branch_typed(self.typed, path) or 0, depth)
        drawn.control = "group"
        if drawn.kind == "object":
            return self._fold(drawn, self.parts(schema, path, depth + 1))
        part = schema["extra"] if drawn.kind == "map" else schema.get("items", {})
        return replace(
            drawn, growing=True, children=[self._row(part, drawn, row, depth) for row in rows(self.typed, path)]
        )

    def _is_there(self, path: str) -> bool:
        """Whether a part with parts of its own was added."""
        return f"{path}#in" in self.typed or branch_typed(self.typed, path) is not None

    def _row(self, schema: Schema, owner: Field, path: str, depth: int) -> Field:
        key = self.typed.get(f"{path}#key", "") if owner.kind == "map" else None
        label = "Value" if owner.kind == "map" else _one_of(owner.label)
        row = self.draw(schema, path, "", True, depth + 1, label=label)
        row.error = row.error or self.problems.get(path, "")
        return replace(row, removable=True, key=key, is_row=True)

    def _union(self, drawn: Field, schema: Schema, number: int, depth: int) -> Field:
        branches = self.shapes.branches(schema)
        number = number if number < len(branches) else 0
        labels = [self.shapes.label(branch) for branch in branches]
        inner = self.draw(
            branches[number], drawn.path, drawn.path.rpartition("/")[2], True, depth + 1, label=drawn.label
        )
        inner.removable = inner.can_be_json = False
        drawn.options = [(str(place), label_of(label)) for place, label in enumerate(labels)]
        drawn.help = drawn.error = ""
        return replace(drawn, control="union", shape=str(number), children=[inner], growing=inner.growing)

    def _fold(self, drawn: Field, parts: list[Field]) -> Field:
        """An object with many fields shows the needed ones; the others stand behind them."""
        shown = [part for part in parts if part.required]
        rest = [part for part in parts if not part.required]
        if len(rest) <= SHOWN_AT_ONCE:
            return replace(drawn, children=parts)
        return replace(drawn, children=shown, more=rest, more_open=any(self.used(part) or part.wrong for part in rest))

    def used(self, part: Field) -> bool:
        """Whether anything was typed into the field or a part of it."""
        if self.typed.get(part.path) or self.typed.get(f"{part.path}#json"):
            return True
        return part.control in ("group", "union")

    def _help(self, schema: Schema, kind: Kind) -> str:
        """What the schema's facts say, in a short sentence."""
        words = facts(schema, kind)
        if schema.get("model"):
            words = "Pick one of the account's models or type any name."
        default = schema.get("default")
        if default is not None and not isinstance(default, dict | list):
            said = {True: "true", False: "false"}.get(default, default) if isinstance(default, bool) else default
            words = f"{words} Without it: {said}.".strip()
        return f"OpenAI advises against it. {words}".strip() if schema.get("deprecated") else words


def facts(schema: Schema, kind: Kind) -> str:
    """Bounds, lengths and known values of a field."""
    match kind:
        case "integer" | "number":
            limits = bounds(schema)
            noun = "Whole number" if kind == "integer" else "Number"
            return f"{noun}, {limits}." if limits else f"{noun}."
        case "text":
            least, most = schema.get("minLength"), schema.get("maxLength")
            known = schema.get("suggest")
            if known:
                return f"Known: {listed(list(known), 6)}."
            return f"At most {most:,} characters." if most else f"At least {least} characters." if least else ""
        case "list" | "map":
            least, most = schema.get("minItems"), schema.get("maxItems", schema.get("maxProperties"))
            both = [f"at least {least}" if least else "", f"at most {most:,}" if most else ""]
            return f"{' and '.join(filter(None, both)).capitalize()} rows." if any(both) else ""
        case "json":
            return "JSON."
    return ""


def label_of(name: str) -> str:
    """`max_output_tokens` as a label: Max output tokens."""
    words = [ACRONYMS.get(word, word) for word in spaced(name).replace("[]", "").replace(".", " ").split()]
    text = " ".join(words)
    return text[:1].upper() + text[1:] if text not in ACRONYMS.values() else text


def _one_of(label: str) -> str:
    """What one row of a list is called."""
    if label.endswith("ies"):
        return f"{label[:-3]}y"
    return label[:-1] if label.endswith("s") and not label.endswith("ss") else label


def _options(values: tuple[str, ...], drawn: Field, schema: Schema) -> list[tuple[str, str]]:
    """The choices; an optional field may stay unchosen, and what was typed stays even if it is none of them."""
    options = [(value, value) for value in values]
    if not drawn.required or not drawn.text:
        options.insert(0, ("", "Not sent" if not drawn.required else "Choose"))
    if drawn.text and drawn.text not in values:
        options.append((drawn.text, drawn.text))
    return options
