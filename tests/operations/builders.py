"""A far side that remembers what it was asked, and the raw request as a browser sends it."""

from __future__ import annotations

import json
from collections.abc import Callable
from email import message_from_bytes
from typing import Any

import httpx
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client as Browser

from connections.models import Installation
from operations.models import Answer
from tests import builders

HELLO = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "gpt-6-luna",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hello."}]}],
    "usage": {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12},
}
Handler = Callable[[httpx.Request], httpx.Response]


class Far:
    """What OpenAI was sent, request by request. `answers` are given in turn, the last one for ever."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers) or [httpx.Response(200, json=HELLO)]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    @property
    def request(self) -> httpx.Request:
        (only,) = self.requests
        return only

    @property
    def parts(self) -> list[tuple[str, str | None, str, bytes]]:
        """Of a multipart body: field, file name, content type, content."""
        head = f"content-type: {self.request.headers['content-type']}\r\n\r\n".encode()
        message = message_from_bytes(head + self.request.content)
        return [
            (
                str(part.get_param("name", header="content-disposition")),
                part.get_filename(),
                part.get_content_type(),
                part.get_payload(decode=True),  # type: ignore[misc]  # no part holds parts
            )
            for part in message.get_payload()
        ]


def installation(**over: Any) -> Installation:
    return builders.installation(connection=builders.connection(), **over)


def typed(**over: Any) -> dict[str, Any]:
    """The raw request as a browser posts it. Rows are given as `query=[("limit", "2")]`, files as `(field, file, name)`."""
    rows = {name: over.pop(name, []) for name in ("query", "header", "form", "file")}
    found: dict[str, Any] = {
        "method": "POST",
        "path": "/responses",
        "payload": "",
        "response_type": "json",
        "timeout": "10000",
        "max_retries": "0",
        "retry_delay": "0",
        **over,
    }
    for kind, given in rows.items():
        found |= {f"{kind}-TOTAL_FORMS": "6", f"{kind}-INITIAL_FORMS": "0"}
        names = ("name", "file", "file_name") if kind == "file" else ("name", "value")
        for number, row in enumerate(given):
            found |= {f"{kind}-{number}-{name}": value for name, value in zip(names, row, strict=True)}
    return found


def send(browser: Browser, here: Installation, **over: Any) -> HttpResponse:
    """Without script: the page that was refused, or the way to the answer."""
    answer: HttpResponse = browser.post(f"/operations/{here.pk}/raw/send/", typed(**over))
    return answer


def sent(browser: Browser, here: Installation, **over: Any) -> Answer:
    """The answer of a request that was taken."""
    answer = send(browser, here, **over)
    assert answer.status_code == 302, said(answer)
    return Answer.objects.get(pk=answer.headers["Location"].rstrip("/").rpartition("/")[2])


def said(page: HttpResponse) -> str:
    """A page's words, as a reader has them."""
    import html
    import re

    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.content.decode())))


def file(name: str, content: bytes = b"{}", content_type: str = "application/jsonl") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type)


def body(**fields: Any) -> str:
    return json.dumps({"model": "gpt-6-luna", "input": "Hi", **fields})
