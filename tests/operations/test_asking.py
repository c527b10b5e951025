"""A request as a form describes it, and as presets keep it."""

from __future__ import annotations

import json

from openai_api.retries import RetryPolicy
from operations.asking import Asked, FilePart

FULL = Asked(
    method="POST",
    path="/files",
    operation="createFile",
    query=(("a", "1"), ("a", "2")),
    headers=(("x-one", "1"),),
    body={"deep": [1, None, {"ä": 1.5}]},
    form=(("purpose", "batch"),),
    files=(FilePart("file", "rows.jsonl", "application/jsonl", b"{}", 2),),
    response_type="text",
    stream=True,
    timeout=12.5,
    retries=RetryPolicy(count=3, delay=0.2, backoff=False, only=("429", "5xx")),
    preset="7",
)


def through_json(asked: Asked) -> Asked:
    return Asked.from_json(json.loads(json.dumps(asked.to_json())))


def test_a_request_comes_back_from_json_as_it_was() -> None:
    assert through_json(FULL) == FULL


def test_the_smallest_request_does_too() -> None:
    assert through_json(Asked("GET", "/models")) == Asked("GET", "/models")


def test_the_contents_of_files_stay_out_of_json() -> None:
    assert through_json(FULL).files[0].content is None
    assert FULL.to_json()["files"] == [
        {"field": "file", "name": "rows.jsonl", "content_type": "application/jsonl", "size": 2}
    ]


def test_what_was_kept_before_a_field_was_known_is_read_as_if_it_were_empty() -> None:
    assert Asked.from_json({"method": "GET", "path": "/models", "unknown": 1}) == Asked("GET", "/models")


def test_form_fields_and_files_make_a_body_of_parts() -> None:
    assert FULL.multipart
    assert not Asked("POST", "/responses", body={}).multipart
