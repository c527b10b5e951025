"""What a form asks, as the request that goes out: checked by the rules of `openai_api.passing`, its body written. Pure."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

from openai_api import multipart, passing
from openai_api.catalogue import OPERATIONS, find
from openai_api.client import Client, Forwarded
from openai_api.passing import NotPassedOn
from openai_api.upload import Upload
from operations.asking import Asked, FilePart

# Larger bodies of parts are read from their files while they are sent; these are held, so that the log can show them.
HELD = 1024 * 1024
BODILESS = ("GET", "HEAD")
ACCEPT = {"json": "application/json", "text": "text/plain, */*;q=0.5", "binary": "application/octet-stream, */*;q=0.5"}
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
HEADER_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]{0,4000}")
# What a person may not set, because it is the connection's or follows from the rest. `passing` drops them silently.
OURS = passing.ONE_HOP | frozenset(passing.AUTH) | frozenset(passing.ACCOUNT) | {"x-client-request-id"}


def forwarded(asked: Asked, client: Client) -> Forwarded:
    """The request for this client to pass on. Raises NotPassedOn with the reason."""
    check(asked)
    own = [(name.lower(), value) for name, value in asked.headers]
    headers = {"accept": ACCEPT[asked.response_type], "user-agent": "Patchbay", **passing.headers(own, client.headers)}
    content, stream, size = _body(asked, headers)
    query = urlencode(asked.query)
    path = passing.path(asked.path)
    return Forwarded(asked.method, path, query, client.head(headers), content, stream, size, asked.timeout)


def operation_of(asked: Asked) -> str:
    """The operation of the catalogue that it asks for, of a raw request too; empty where the catalogue has none."""
    found = asked.operation or find(asked.method, asked.path)
    return found if found in OPERATIONS else ""


def check(asked: Asked) -> None:
    """Whether it can be sent at all; forms ask for the parts of it that they leave to people. Raises NotPassedOn."""
    passing.path(asked.path)
    for name, value in asked.headers:
        check_header(name, value)
    check_body(asked)


def check_header(name: str, value: str) -> None:
    if not HEADER_NAME.fullmatch(name):
        raise NotPassedOn(f"“{name}” is not the name of a header. Use letters, digits and hyphens, without a colon.")
    if not HEADER_VALUE.fullmatch(value):
        raise NotPassedOn(f"The value of {name} holds a line break or a sign that headers can't carry. Take it out.")
    low = name.lower()
    if low in OURS or low.startswith(("x-patchbay-", "x-forwarded-", "proxy-")):
        raise NotPassedOn(f"The header {name} can't be set here: {_why_ours(low)} Leave it out.")


def _why_ours(name: str) -> str:
    if name in ("authorization", *passing.AUTH):
        return "the connection's own key is sent, and no other."
    if name in passing.ACCOUNT:
        return f"the connection says which {passing.ACCOUNT[name]} pays."
    return "it follows from the rest of the request."


def check_body(asked: Asked) -> None:
    if asked.body is not None and asked.multipart:
        raise NotPassedOn(
            "Data was given together with form data or files, and a request has one body. Keep the data, or keep the parts."
        )
    if asked.method in BODILESS and (asked.body is not None or asked.multipart):
        raise NotPassedOn(
            f"A {asked.method} request has no body. Choose another method, or leave data and parts empty."
        )
    if asked.multipart and any(name.lower() == "content-type" for name, _ in asked.headers):
        raise NotPassedOn(
            "The header Content-Type can't be set for form data and files: it names where each part ends."
        )
    for part in asked.files:
        if part.content is None:
            raise NotPassedOn(f"The file {part.name} of {part.field} is not here any more. Choose it again.")


def _body(asked: Asked, headers: dict[str, str]) -> tuple[bytes, Upload | None, int]:
    """`(content, None, size)` or `(b"", stream, size)`; the headers that go with it are added."""
    if asked.multipart:
        return _parts(asked, headers)
    if asked.body is None:
        return b"", None, 0
    kind = headers.setdefault("content-type", "application/json")
    content = asked.body.encode() if is_text(asked.body, kind) else written(asked.body)
    return content, None, len(content)


def is_text(body: Any, content_type: str) -> bool:
    """Whether a body goes out as the text it is, because its content type says that it is no JSON."""
    return isinstance(body, str) and "json" not in content_type.lower()


def written(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _parts(asked: Asked, headers: dict[str, str]) -> tuple[bytes, Upload | None, int]:
    parts = [multipart.Part.text(name, value) for name, value in asked.form]
    body = multipart.Body([*parts, *(_file(part) for part in asked.files)])
    headers["content-type"] = body.content_type
    if body.size <= HELD:
        return body.whole(), None, body.size
    return b"", Upload(body, repeatable=True), body.size


def _file(part: FilePart) -> multipart.Part:
    content = part.content
    assert content is not None  # noqa: S101 - checked above
    kind = part.content_type if HEADER_VALUE.fullmatch(part.content_type) else ""
    return multipart.Part(part.field, content, part.size, part.name, kind or "application/octet-stream")
