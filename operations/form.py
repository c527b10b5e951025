"""The form of one operation: what was typed, what is wrong with it, how it is drawn, and the request that it makes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlencode

from django.core.files.uploadedfile import UploadedFile

from expressions.bounded import ExpressionError
from openai_api.catalogue import Operation, schemas
from openai_api.catalogue.shapes import Schema, Shapes
from operations import formulas
from operations.asking import Asked, FilePart
from operations.fields import checks, editing, sending
from operations.fields.drawing import Drawing, Field, Look, label_of
from operations.fields.typed import ABSENT, Reading, Typed, as_json, typed_of
from operations.formulas import Context
from operations.layouts import Layout, image_sizes, layout_of, size_problem, started
from operations.lists import paging
from operations.words import WORDS

Upload = UploadedFile[Any]
ROOTS = ("path", "query", "body")
# What is typed beside the fields of the request.
BESIDE = ("timeout", "follow", "follow_items", "follow_pages", "formula", "record")
DEFAULT_ITEMS, DEFAULT_PAGES = 1000, 100
MOST_SECONDS = 600
# More fields than this are one field of JSON: a form must be small enough to be sent.
MOST_FIELDS = 2_000
BOTH = "The fields and the JSON were both changed, and they say different things. Press “Use this JSON” or “Use the fields”."
IMAGES = {"create_image", "edit_image"}


@dataclass(frozen=True)
class Section:
    """Fields that stand together under a title, which may be empty."""

    title: str
    fields: list[Field]
    open: bool = False


@dataclass
class OperationForm:
    """`typed` is as `operations.fields.typed` has it; `kind` of body is json or multipart, empty where there is none. `model`
    is the installation's, `account` are those that the account has.

    `focus` is the field that a button changed, `checked` whether a check was asked for, and `known` what expressions know (see
    `operations.formulas`).
    """

    operation: Operation
    model: str
    kind: str = ""
    account: tuple[str, ...] = ()
    typed: Typed = field(default_factory=dict)
    json_text: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    focus: str = ""
    checked: bool = False
    known: Context = field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = list(self.operation.bodies)
        self.kind = self.kind if self.kind in kinds else (kinds[0] if kinds else "")
        self.shapes = Shapes(schemas())

    # What it is made of

    @cached_property
    def layout(self) -> Layout:
        return layout_of(self.operation)

    @cached_property
    def roots(self) -> Mapping[str, Schema]:
        """The schema of each part of the request that has fields."""
        found = {place: _as_object(self.operation, place) for place in ("path", "query")}
        body = self.operation.bodies.get(self.kind)
        return {name: schema for name, schema in (found | {"body": body}).items() if schema}

    @property
    def shows_json(self) -> bool:
        return self.kind == "json"

    @property
    def has_pages(self) -> bool:
        return paging.has_pages(self.operation)

    @property
    def follows(self) -> bool:
        """Whether the pages of the list are to be followed to its end."""
        return self.has_pages and self.typed.get("follow") == "on"

    @property
    def limits(self) -> tuple[int, int]:
        """At most so many items and pages; 0 for what is no such number."""
        items = _number(self.typed.get("follow_items", ""), paging.MOST_ITEMS)
        return items, _number(self.typed.get("follow_pages", ""), paging.MOST_PAGES)

    @property
    def formula(self) -> str:
        """The expression that builds the body, if there is one."""
        return self.typed.get("formula", "").strip() if self.shows_json else ""

    @property
    def has_expressions(self) -> bool:
        return bool(self.formula) or any(formulas.is_formula(key, text) for key, text in self.typed.items())

    # What was typed

    def begin(self) -> None:
        """As it stands before anything was typed."""
        for root, schema in self.roots.items():
            if self.shapes.kind(schema) == "union":
                self.typed |= editing.begun_if_new(self.shapes, schema, self.typed, root)
        if self.layout.start and "body" in self.roots:
            begun = typed_of(self.shapes, self.roots["body"], started(self.layout, self.model, self.account), "body")
            # A text that begins empty is one to be written, not the empty text.
            self.typed |= {key: text for key, text in begun.items() if text != '""'}
        self.typed["timeout"] = str(self.layout.timeout)
        self.typed |= {"follow_items": str(DEFAULT_ITEMS), "follow_pages": str(DEFAULT_PAGES)} if self.has_pages else {}
        self.settle()

    def begin_with(self, asked: Asked) -> None:
        """As the form stood when it made this request; files are to be chosen again."""
        sent_as = "multipart" if asked.multipart else "json"
        self.kind = sent_as if sent_as in self.operation.bodies else self.kind
        self.begin()
        self.typed["timeout"] = str(round(asked.timeout * 1000))
        self.typed = {key: text for key, text in self.typed.items() if not _under("body", key)}
        values: dict[str, Any] = {"path": path_values(self.operation, asked.path), "body": asked.body}
        values["query"] = sending.from_pairs(self.shapes, self.roots.get("query", {}), asked.query)
        if asked.multipart:
            values["body"] = sending.from_pairs(self.shapes, self.roots.get("body", {}), asked.form)
        for root, schema in self.roots.items():
            if values[root] is not None:
                self.typed |= formulas.escaped(typed_of(self.shapes, schema, values[root], root))
        self.settle()

    def settle(self) -> None:
        for root, schema in self.roots.items():
            if self.shapes.kind(schema) == "object":
                self.typed = self.typed | {f"{root}#in": "1"}
            self.typed = editing.settled(self.shapes, schema, self.typed, root)

    def edit(self, verb: str, path: str) -> None:
        """What a button of the form does. One that is not there does nothing."""
        schema = self.schema_at(path)
        if verb == "remove":
            self.typed = editing.removed(self.typed, path)
            owner, _, last = path.rpartition("/")
            self.focus = owner if last.isdigit() else path
        elif verb in editing.VERBS and schema is not None:
            self.typed = editing.edited(self.shapes, schema, self.typed, verb, path)
            self.focus = path
        self.settle()

    def schema_at(self, path: str) -> Schema | None:
        """The schema of the field at a path, with the shapes that were chosen on the way."""
        root, *steps = path.split("/")
        schema = self.roots.get(root)
        for name in steps:
            schema = schema and editing.part_of(self.shapes, schema, self.typed, root, name)
            root = f"{root}/{name}"
        return schema

    def take_json(self, text: str, seen: str, verb: str) -> None:
        """Lets the JSON beside the fields count where it was changed. `seen` is the stamp it had when it was shown."""
        text = text.replace("\r\n", "\n")
        fresh = self.body_text()
        if not self.shows_json or stamp(text) == seen or verb == "use-fields" or text.strip() == fresh.strip():
            self.json_text = fresh
            return
        self.json_text = text
        if verb != "use-json" and stamp(fresh) != seen:
            self.problems["json"] = BOTH
            return
        reading = Reading(self.shapes, {"json": text})
        value = reading.value({}, "json")
        if reading.problems:
            self.problems |= reading.problems
            return
        self.typed = {key: text for key, text in self.typed.items() if not _under("body", key)}
        fields = typed_of(self.shapes, self.roots["body"], value, "body")
        self.typed |= fields if len(fields) <= MOST_FIELDS else {"body#json": text}
        for path, look in self.layout.looks.items():
            if look.control == "json" and {f"{path}#in", f"{path}#as"} & self.typed.keys():
                self.edit("json", path)
        self.focus = ""
        self.settle()
        self.json_text = self.body_text()

    # What it says

    def values(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The value of each root as its fields have it, and the problems of what cannot be read."""
        typed, unknown = formulas.worked_out(self.typed, self.known)
        reading = Reading(self.shapes, typed)
        found = {root: reading.value(schema, root) for root, schema in self.roots.items()}
        # An operation that needs no body gets none where nothing was filled in.
        empty = not found.get("body") and not self.operation.needs_body and "body#json" not in self.typed
        if empty and "body" in found:
            del found["body"]
        return {root: value for root, value in found.items() if value is not ABSENT}, reading.problems | unknown

    def sent(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The same as it is sent: with the body that an expression builds."""
        values, found = self.values()
        if self.formula:
            try:
                values["body"] = formulas.body(self.formula, values.get("body"), self.known)
            except ExpressionError as error:
                found["formula"] = error.sentence
        return values, found

    def preview(self) -> tuple[str, dict[str, str]]:
        """What the expressions make of the request, and what is wrong with them, by the label of the field."""
        values, found = self.sent()
        path = self.operation.path
        for name, value in values.get("path", {}).items():
            path = path.replace(f"{{{name}}}", str(value))
        query = urlencode(sending.pairs(values.get("query", {})), safe="[]:,")
        wrong = {
            key: text for key, text in found.items() if key == "formula" or self.typed.get(key, "").startswith("=")
        }
        named = {"Body" if key == "formula" else label_of(key.partition("/")[2]): text for key, text in wrong.items()}
        return formulas.preview(
            self.operation.method, f"{path}{'?' if query else ''}{query}", values.get("body")
        ), named

    def frozen(self) -> Typed:
        """What was typed with the values of its expressions: what is confirmed must not come to something else later."""
        typed = formulas.escaped(formulas.worked_out(self.typed, self.known)[0])
        if self.formula:
            values, _ = self.sent()
            typed = {key: text for key, text in typed.items() if not _under("body", key) and key != "formula"}
            typed["body#json"] = as_json(values.get("body"))
        return typed

    def body_text(self) -> str:
        values, _ = self.values()
        return as_json(values["body"]) if "body" in values and self.shows_json else ""

    def check_without_files(self) -> bool:
        """`check` for a form that is kept and not sent: files may be chosen later."""
        self.check()
        for path in list(self.problems):
            schema = self.schema_at(path)
            if schema is not None and self.shapes.kind(schema) == "file":
                del self.problems[path]
        return not self.problems

    def check(self) -> bool:
        """Whether it can be sent; else `problems` says what is wrong, by path."""
        values, found = self.sent()
        chosen = {
            key.removesuffix("#as"): int(text)
            for key, text in self.typed.items()
            if key.endswith("#as") and text.isdigit() and not (self.formula and _under("body", key))
        }
        for root, schema in self.roots.items():
            if root in values:
                for path, sentence in checks.problems(self.shapes, schema, values[root], root, chosen):
                    found.setdefault(path, sentence)
            elif root == "body" and self.operation.needs_body:
                found.setdefault("body", checks.EMPTY)
        found |= self._own_problems(values.get("body")) | self._limit_problems()
        self.problems = {path: sentence for path, sentence in found.items() if sentence} | self.problems
        return not self.problems

    def _own_problems(self, body: Any) -> dict[str, str]:
        found = (
            {} if _seconds(self.typed.get("timeout", "")) else {"timeout": f"Enter 100 to {MOST_SECONDS * 1000:,} ms."}
        )
        if self.operation.id in IMAGES and isinstance(body, dict) and isinstance(body.get("size"), str):
            found["body/size"] = size_problem(str(body.get("model", "")), body["size"])
        return found

    def _limit_problems(self) -> dict[str, str]:
        items, pages = self.limits
        wrong = {} if items else {"follow_items": f"Enter 1 to {paging.MOST_ITEMS:,} items."}
        wrong |= {} if pages else {"follow_pages": f"Enter 1 to {paging.MOST_PAGES:,} pages."}
        return wrong if self.follows else {}

    # How it is drawn

    def sections(self, models: Iterable[tuple[str, str]]) -> list[Section]:
        """Path and query, then the body in its groups, then what is folded away under “More”."""
        expected = frozenset(f"body/{name}" for name in self.layout.start)
        drawing = Drawing(
            self.shapes,
            self.typed,
            self.problems,
            self._looks(),
            tuple(models),
            self.focus,
            expected=expected,
            words=WORDS,
        )
        before = [
            part for root in ("path", "query") if root in self.roots for part in drawing.parts(self.roots[root], root)
        ]
        needed = [part for part in before if part.required]
        if "body" not in self.roots:
            return _filled([Section("", [*needed, *(part for part in before if not part.required)])])
        parts = self._body(drawing)
        named = {part.path: part for part in parts}
        groups = [
            Section(group.title, [named.pop(f"body/{name}") for name in group.names if f"body/{name}" in named])
            for group in self.layout.groups
        ]
        rest = list(named.values())
        if not self.layout.groups:
            first = [part for part in rest if part.required or drawing.used(part)] or rest[:6]
            groups, rest = [Section("", first)], [part for part in rest if part not in first]
        groups[0] = Section("", [*needed, *groups[0].fields])
        more = [*(part for part in before if not part.required), *rest]
        return _filled([*groups, Section("More", more, any(part.wrong or drawing.used(part) for part in more))])

    @property
    def beside(self) -> list[tuple[str, str]]:
        """Name and label of what is wrong beside the fields of the request."""
        labels = {
            "follow_items": "Items",
            "follow_pages": "Pages",
            "record": "Record",
            "formula": "Body by an expression",
        }
        return [(name, label) for name, label in labels.items() if name in self.problems]

    @staticmethod
    def faulty(sections: Iterable[Section]) -> list[Field]:
        """The fields that have an error of their own, in their order on the page."""
        return [part for section in sections for top in section.fields for part in with_parts(top) if part.error]

    def _body(self, drawing: Drawing) -> list[Field]:
        """The fields of the body; a body that is no plain object is one field."""
        schema = self.roots["body"]
        if self.shapes.kind(schema) == "object" and "body#json" not in self.typed and "body#more" not in self.typed:
            return drawing.parts(schema, "body")
        if self.shapes.kind(schema) == "object" and "body#json" not in self.typed:
            more = Field(
                "body#more", "Other fields", "json", "area", text=self.typed["body#more"], help="As a JSON object."
            )
            return [*drawing.parts(schema, "body"), more]
        return [drawing.draw(schema, "body", "body", self.operation.needs_body, label="Body")]

    def _looks(self) -> Mapping[str, Look]:
        looks = dict(self.layout.looks)
        if self.operation.id in IMAGES:
            size = looks.get("body/size", Look())
            looks["body/size"] = replace(size, choices=image_sizes(self.typed.get("body/model", "")))
        return looks

    # The request

    def asked(self, uploads: Mapping[str, Iterable[Upload]]) -> Asked:
        """The request, of a form that `check` found right."""
        values, _ = self.sent()
        path, body = values.get("path", {}), values.get("body")
        operation = self.operation
        multipart = self.kind == "multipart" and isinstance(body, dict)
        return Asked(
            method=operation.method,
            path=operation.fill({name: str(value) for name, value in path.items()}),
            operation=operation.id,
            query=sending.pairs(values.get("query", {})),
            headers=(("OpenAI-Beta", operation.beta),) if operation.beta else (),
            body=None if multipart else body,
            form=sending.pairs(body) if multipart and body else (),
            files=tuple(self._files(body, uploads)) if multipart and body else (),
            response_type=operation.answer,
            stream=isinstance(body, dict) and body.get("stream") is True,
            timeout=_seconds(self.typed.get("timeout", "")) or 60.0,
        )

    @staticmethod
    def _files(body: Mapping[str, Any], uploads: Mapping[str, Iterable[Upload]]) -> Iterable[FilePart]:
        for name, chosen in sending.files(body):
            several = list(uploads.get(chosen.path, ()))
            for upload in several:
                label = f"{name}[]" if len(several) > 1 and not name.endswith("[]") else name
                kind = upload.content_type or "application/octet-stream"
                yield FilePart(label, upload.name or chosen.name, kind, cast(BinaryIO, upload.file), upload.size or 0)


def with_parts(top: Field) -> Iterable[Field]:
    yield top
    for part in [*top.children, *top.more]:
        yield from with_parts(part)


def path_values(operation: Operation, path: str) -> dict[str, str]:
    """What stands in the places of the operation's path."""
    parts = zip(operation.path.split("/"), path.split("/"), strict=False)
    return {name[1:-1]: unquote(text) for name, text in parts if name.startswith("{")}


def stamp(text: str) -> str:
    return hashlib.sha256(text.strip().encode(errors="replace")).hexdigest()[:16]


def _as_object(operation: Operation, place: str) -> Schema:
    """The parameters of one place as an object's schema; empty where there are none."""
    rows = [each for each in operation.parameters if each.place == place]
    if not rows:
        return {}
    needed = [each.name for each in rows if each.required]
    return {"type": "object", "properties": {each.name: each.schema for each in rows}, "required": needed}


def _number(text: str, most: int) -> int:
    """A whole number as typed, 1 to `most`; 0 for what is none."""
    number = text.replace(",", "").strip()
    found = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 0
    return found if found <= most else 0


def _seconds(text: str) -> float:
    """Milliseconds as typed, in seconds; 0 for what is no time that a call may take."""
    number = text.replace(",", "").strip()
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        return 0.0
    seconds = int(number) / 1000
    return seconds if 0.1 <= seconds <= MOST_SECONDS else 0.0


def _under(root: str, key: str) -> bool:
    return key == root or key.startswith((f"{root}/", f"{root}#"))


def _filled(sections: list[Section]) -> list[Section]:
    return [section for section in sections if section.fields]
