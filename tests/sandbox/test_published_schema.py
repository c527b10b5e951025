"""The answers hold to OpenAI's own description of its API, where that file is at hand."""

import json
import lzma
import time
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml

from tests.sandbox.conftest import ROOT, Sandbox

FILE = ROOT.parent / "shared" / "openai" / "openapi.yaml.xz"
pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="OpenAI's published schema (shared/openai/openapi.yaml.xz) is not beside the project."
)

MODEL = "gpt-6-luna"
ASKED = {"model": MODEL, "input": "Write one line about the oak desk"}
MESSAGES = [{"role": "user", "content": "Write one line about the oak desk"}]
PARTS = [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": "https://example.com/a.png"}]
OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
FORMAT = {"type": "json_schema", "name": "a", "schema": OBJECT, "strict": True}


@cache
def document() -> Any:
    """The whole description, parsed once, in today's JSON Schema."""
    with lzma.open(FILE) as stream:
        return rewritten(yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506 - both safe


def rewritten(node: Any) -> Any:
    """The description says `nullable` as OpenAPI 3.0 did, which JSON Schema doesn't know: say null as a type."""
    if isinstance(node, list):
        return [rewritten(part) for part in node]
    if not isinstance(node, dict):
        return node
    plain = {key: rewritten(part) for key, part in node.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    schemas = document()["components"]["schemas"]
    assert name in schemas
    return jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}})


def holds(name: str, answer: Any) -> Any:
    validator(name).validate(answer)
    return answer


def test_the_check_can_fail(sandbox: Sandbox):
    answer = sandbox.post("responses", ASKED).json()
    with pytest.raises(jsonschema.ValidationError):
        holds("Response", answer | {"status": "done"})
    with pytest.raises(jsonschema.ValidationError):
        holds("Response", {name: part for name, part in answer.items() if name != "output"})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"background": True},
        {"max_output_tokens": 16},
        {"text": {"format": FORMAT, "verbosity": "low"}, "metadata": {"a": "b"}, "instructions": "Be brief."},
        {"reasoning": {"effort": "low"}, "service_tier": "flex", "prompt_cache_key": "k", "safety_identifier": "s"},
        {"tools": [{"type": "web_search"}], "tool_choice": "auto", "parallel_tool_calls": False, "truncation": "auto"},
    ],
)
def test_responses(sandbox: Sandbox, more):
    answer = holds("Response", sandbox.post("responses", ASKED | more).json())
    holds("Response", sandbox.get(f"responses/{answer['id']}").json())


@pytest.mark.parametrize("kind", ["failed", "incomplete"])
def test_responses_that_did_not_end_well(sandbox: Sandbox, kind):
    sandbox.fail(kind)
    assert holds("Response", sandbox.post("responses", ASKED).json())["status"] == kind


@pytest.mark.parametrize(
    "kind", [None, "failed", "incomplete", "stream_error"], ids=["well", "failed", "incomplete", "error"]
)
def test_every_event_of_a_stream(sandbox: Sandbox, kind):
    if kind:
        sandbox.fail(kind)
    text = sandbox.post("responses", ASKED | {"stream": True, "background": kind is None}).text
    events = [json.loads(row.removeprefix("data: ")) for row in text.splitlines() if row.startswith("data: ")]
    for event in events:
        holds("ResponseStreamEvent", event)


def test_input_items(sandbox: Sandbox):
    given = [{"role": "user", "content": PARTS}, {"role": "assistant", "content": "A desk."}]
    id = sandbox.post("responses", ASKED | {"input": given}).json()["id"]
    holds("ResponseItemList", sandbox.get(f"responses/{id}/input_items").json())
    holds("ResponseItemList", sandbox.get(f"responses/{id}/input_items", limit=1).json())


def test_input_tokens(sandbox: Sandbox):
    holds("TokenCountsResource", sandbox.post("responses/input_tokens", ASKED).json())


@pytest.mark.parametrize("more", [{}, {"n": 2}, {"max_tokens": 2}, {"response_format": {"type": "json_object"}}])
def test_chat(sandbox: Sandbox, more):
    holds(
        "CreateChatCompletionResponse",
        sandbox.post("chat/completions", {"model": MODEL, "messages": MESSAGES} | more).json(),
    )


def test_every_chunk_of_a_chat_stream(sandbox: Sandbox):
    asked = {"model": MODEL, "messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True}}
    rows = sandbox.post("chat/completions", asked).text.strip().split("\n\n")
    for row in rows[:-1]:
        holds("CreateChatCompletionStreamResponse", json.loads(row.removeprefix("data: ")))


def test_embeddings_images_moderations_and_models(sandbox: Sandbox):
    asked = {"model": "text-embedding-3-small", "input": "desk", "dimensions": 4}
    holds("CreateEmbeddingResponse", sandbox.post("embeddings", asked).json())
    holds("ImagesResponse", sandbox.post("images/generations", {"prompt": "desk"}).json())
    holds("CreateModerationResponse", sandbox.post("moderations", {"input": "desk"}).json())
    holds("ListModelsResponse", sandbox.get("models").json())
    holds("Model", sandbox.get("models/gpt-5-nano").json())


def test_a_streamed_image(sandbox: Sandbox):
    text = sandbox.post("images/generations", {"prompt": "desk", "stream": True}).text
    holds("ImageGenStreamEvent", json.loads(text.partition("data: ")[2]))


def test_files(sandbox: Sandbox):
    holds("ListFilesResponse", sandbox.get("files").json())
    form = {"purpose": "user_data", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    file = holds("OpenAIFile", sandbox.http.post("/v1/files", files={"file": ("a", b"x")}, data=form).json())
    holds("OpenAIFile", sandbox.get(f"files/{file['id']}").json())
    holds("ListFilesResponse", sandbox.get("files").json())
    holds("DeleteFileResponse", sandbox.http.delete(f"/v1/files/{file['id']}").json())


def test_transcriptions(sandbox: Sandbox):
    sound = {"file": ("a.wav", b"sound")}
    asked = {"model": "gpt-4o-mini-transcribe"}
    holds(
        "CreateTranscriptionResponseJson", sandbox.http.post("/v1/audio/transcriptions", files=sound, data=asked).json()
    )
    asked["stream"] = "true"
    rows = sandbox.http.post("/v1/audio/transcriptions", files=sound, data=asked).text.strip().split("\n\n")
    for row in rows:
        holds("CreateTranscriptionResponseStreamEvent", json.loads(row.removeprefix("data: ")))


def test_vector_stores(sandbox: Sandbox):
    file = sandbox.http.post("/v1/files", files={"file": ("a", b"An oak desk")}, data={"purpose": "user_data"}).json()
    holds("ListVectorStoresResponse", sandbox.get("vector_stores").json())
    asked = {"name": "Desks", "expires_after": {"anchor": "last_active_at", "days": 3}, "metadata": {"a": "b"}}
    store = holds("VectorStoreObject", sandbox.post("vector_stores", asked).json())
    place = f"vector_stores/{store['id']}"
    holds("VectorStoreFileObject", sandbox.post(f"{place}/files", {"file_id": file["id"]}).json())
    holds("ListVectorStoreFilesResponse", sandbox.get(f"{place}/files").json())
    holds("VectorStoreFileObject", sandbox.get(f"{place}/files/{file['id']}").json())
    found = holds("VectorStoreSearchResultsPage", sandbox.post(f"{place}/search", {"query": "which desk?"}).json())
    assert [row["filename"] for row in found["data"]] == ["a"]
    holds("VectorStoreObject", sandbox.post(place, {"name": "Tables"}).json())
    holds("ListVectorStoresResponse", sandbox.get("vector_stores").json())
    holds("DeleteVectorStoreFileResponse", sandbox.http.delete(f"/v1/{place}/files/{file['id']}").json())
    holds("DeleteVectorStoreResponse", sandbox.http.delete(f"/v1/{place}").json())


@pytest.mark.parametrize("good", [True, False])
def test_batches_in_every_state(sandbox: Sandbox, good):
    line = json.dumps({"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": ASKED}) if good else "{"
    file = sandbox.http.post("/v1/files", files={"file": ("a", line.encode())}, data={"purpose": "batch"}).json()
    asked = {"input_file_id": file["id"], "endpoint": "/v1/responses", "completion_window": "24h"}
    batch = holds("Batch", sandbox.post("batches", asked).json())
    deadline = time.monotonic() + 30
    while batch["status"] not in ("completed", "failed"):
        assert time.monotonic() < deadline
        batch = holds("Batch", sandbox.get(f"batches/{batch['id']}").json())
    assert batch["status"] == ("completed" if good else "failed")
    holds("ListBatchesResponse", sandbox.get("batches").json())


@pytest.mark.parametrize("kind", ["401", "missing_scope", "rate_limit_exceeded", "insufficient_quota", "500", "503"])
def test_refusals(sandbox: Sandbox, kind):
    sandbox.fail(kind)
    holds("ErrorResponse", sandbox.post("responses", ASKED).json())


def test_projects(sandbox: Sandbox):
    admin = {"Authorization": "Bearer sk-admin-good"}
    made = sandbox.http.post("/v1/organization/projects", json={"name": "Catalogue"}, headers=admin).json()
    holds("Project", made)
    found = holds("ProjectListResponse", sandbox.http.get("/v1/organization/projects", headers=admin).json())
    assert made in found["data"]
