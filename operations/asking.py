"""A request as a form describes it. Every form makes one, one function sends it, presets keep it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, BinaryIO

from openai_api.retries import RetryPolicy

Pairs = tuple[tuple[str, str], ...]
RESPONSE_TYPES = ("json", "text", "binary")


@dataclass(frozen=True)
class FilePart:
    """A file of a multipart body. `content` is bytes or an open file of `size` bytes; None until it is chosen (again)."""

    field: str
    name: str
    content_type: str = "application/octet-stream"
    content: bytes | BinaryIO | None = dataclasses.field(default=None, repr=False, compare=False)
    size: int = 0


@dataclass(frozen=True)
class Asked:
    """A request: no address and no key. Everything of it but the contents of its files can be written as JSON.

    `path` begins with / below the base URL, its parameters filled in and quoted. `operation` is an id of the catalogue, empty
    for a raw request. `body` is JSON, or a text if a content-type header says that it is something else; `form` and `files`
    make a multipart body instead. `timeout` is in seconds, for each attempt. `retries` None leaves it to the installation.
    `preset` is the id of the preset version that made it.
    """

    method: str
    path: str
    operation: str = ""
    query: Pairs = ()
    headers: Pairs = ()
    body: Any = None
    form: Pairs = ()
    files: tuple[FilePart, ...] = ()
    response_type: str = "json"
    stream: bool = False
    timeout: float = 60.0
    retries: RetryPolicy | None = None
    preset: str = ""

    @property
    def multipart(self) -> bool:
        return bool(self.form or self.files)

    def to_json(self) -> dict[str, Any]:
        """Its fields as JSON has them; of a file its name, kind and size."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        found |= {name: [list(pair) for pair in found[name]] for name in ("query", "headers", "form")}
        found["files"] = [_described(part) for part in self.files]
        found["retries"] = asdict(self.retries) if self.retries else None
        return found

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Asked:
        """What `to_json` wrote; fields it does not have are as if left empty. Files are without their contents."""
        found = {one.name: given[one.name] for one in fields(cls) if one.name in given}
        found |= {name: _pairs(found.get(name, ())) for name in ("query", "headers", "form")}
        found["files"] = tuple(FilePart(**part) for part in found.get("files", ()))
        if found.get("retries"):
            found["retries"] = _policy(found["retries"])
        return cls(**found)


def _described(part: FilePart) -> dict[str, Any]:
    return {"field": part.field, "name": part.name, "content_type": part.content_type, "size": part.size}


def _pairs(given: Iterable[Iterable[str]]) -> Pairs:
    return tuple((name, value) for name, value in given)


def _policy(given: Mapping[str, Any]) -> RetryPolicy:
    return RetryPolicy(**{**given, "only": tuple(given.get("only", ()))})
