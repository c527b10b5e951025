"""Patchbay against a stand-in for OpenAI that others wrote: `llmock`. It also judges how its callers behave.

What it doesn't have is skipped with that reason; so is, by Patchbay itself, each check that needs it.
"""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from connections.clients import client_for
from logs.models import Call
from openai_api import errors
from openai_api.catalogue import OPERATIONS
from openai_api.client import Client
from openai_api.retries import RetryPolicy
from tests import builders
from tests.conftest import free_port, wait_until
from tests.whole.witness import answers, running

pytestmark = pytest.mark.slow
MODEL = "gpt-4o"
LINE = {"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": {"model": MODEL, "input": "Oak"}}
BODIES = {
    "create_response": {"model": MODEL, "input": "Describe an oak table."},
    "create_chat_completion": {"model": MODEL, "messages": [{"role": "user", "content": "Describe an oak table."}]},
    "create_embedding": {"model": "text-embedding-3-small", "input": "An oak table"},
    "create_image": {"model": "gpt-image-1", "prompt": "An oak table"},
    "upload_file": {"purpose": "batch"},
}
MORE = (
    "list_models",
    "list_files",
    "get_file",
    "download_file",
    "delete_file",
    "create_batch",
    "get_batch",
    "list_batches",
)
PAID = ("create_response", "create_chat_completion", "create_embedding")


@pytest.fixture(scope="module")
def llmock() -> Iterator[str]:
    """Its address, without `/v1`."""
    port = free_port()
    command = [sys.executable, "-c", "from llmock.cli import app; app()", "serve", "--port", str(port)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("LLMOCK_")}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"), 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module")
def endpoints(llmock: str) -> set[tuple[str, str]]:
    """`(method, path below /v1)`, as it says itself; names in paths are left out."""
    paths = httpx.get(f"{llmock}/openapi.json", trust_env=False).raise_for_status().json()["paths"]
    return {
        (method.upper(), unnamed(path.removeprefix("/v1")))
        for path, methods in paths.items()
        if path.startswith("/v1/")
        for method in methods
    }


def unnamed(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


@pytest.fixture
def client(llmock: str, settings) -> Client:
    settings.ALLOW_PRIVATE_ADDRESSES = (ipaddress.ip_network("127.0.0.0/8"),)
    httpx.post(f"{llmock}/_llmock/reset", trust_env=False).raise_for_status()
    return client_for(builders.installation(model=MODEL, connection=builders.connection(base_url=f"{llmock}/v1")))


def test_the_main_job_by_command(llmock, tmp_path):
    with running(tmp_path, SANDBOX="false", WORKERS="1", ALLOW_PRIVATE_ADDRESSES="127.0.0.0/8") as program:
        options = ["--name", "OpenAI - Second", "--base-url", f"{llmock}/v1", "--model", MODEL]
        made = program.manage("create_installation", *options, OPENAI_API_KEY="sk-any")
        assert made.returncode == 0 and made.stderr == "", made.stderr
        verified = program.manage("verify", "OpenAI - Second")
        assert verified.returncode == 0, verified.stdout
        outcomes = {check["check"]: check["outcome"] for check in json.loads(verified.stdout)["checks"]}
        skipped = {name for name, outcome in outcomes.items() if outcome == "skipped"}
        # llmock sends no webhooks, so no signing secret was entered.
        assert skipped == {"signing-secret", "webhook"}
        assert set(outcomes.values()) == {"passed", "skipped"} and len(outcomes) == 11
        pushed = program.manage("push", "OpenAI - Second", "--entity", "Product", "--all")
        run = json.loads(pushed.stdout)
        assert (pushed.returncode, run["state"], run["failed"]) == (0, "done", 0) and run["done"] == run["total"] > 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", [*BODIES, *MORE])
def test_each_operation_that_it_has(client, endpoints, name):
    operation = OPERATIONS[name]
    if (operation.method, unnamed(operation.path)) not in endpoints:
        pytest.skip(f"llmock has no {operation.method} {operation.path}")
    answer = client.call(name, context=builders.context(), **request_of(client, name))
    call = Call.objects.get(pk=answer.call_id)
    assert (answer.status, call.state, call.attempts) == (200, "done", 1)
    assert call.total_tokens or name not in PAID


def request_of(client: Client, name: str) -> dict:
    """What the operation needs; files and batches are made first."""
    if name == "upload_file":
        return {
            "json": BODIES[name],
            "files": {"file": ("lines.jsonl", json.dumps(LINE).encode(), "application/jsonl")},
        }
    if name in ("get_file", "download_file", "delete_file", "create_batch"):
        file = client.call("upload_file", context=builders.context(), **request_of(client, "upload_file")).json["id"]
        batch = {"input_file_id": file, "endpoint": "/v1/responses", "completion_window": "24h"}
        return {"json": batch} if name == "create_batch" else {"path": {"file_id": file}}
    if name in ("get_batch", "cancel_batch"):
        made = client.call("create_batch", context=builders.context(), **request_of(client, "create_batch"))
        return {"path": {"batch_id": made.json["id"]}}
    return {"json": BODIES[name]} if name in BODIES else {}


@pytest.mark.django_db(transaction=True)
def test_its_stream_is_recorded_to_its_end(client):
    with client.stream(
        "create_response", json=BODIES["create_response"] | {"stream": True}, context=builders.context()
    ) as chunks:
        said = b"".join(chunks)
    call = Call.objects.get()
    assert b"response.completed" in said
    assert (call.state, call.stream) == ("done", True) and call.total_tokens


@pytest.mark.django_db(transaction=True)
def test_it_finds_nothing_to_say_against_our_retries(client, llmock):
    """It fails in the ways that it knows, and then judges whether its caller waited, stopped and repeated as it should."""
    context, quick = builders.context(), RetryPolicy(count=2, delay=0.1)
    order(llmock, {"type": "fail", "status": 429, "retry_after": 1, "times": 2})
    assert client.call("create_response", json=BODIES["create_response"], context=context, retries=quick).status == 200
    for status, kind in ((401, errors.BadKey), (400, errors.BadRequest), (404, errors.NotFound)):
        order(llmock, {"type": "fail", "status": status})
        # Told apart by their bodies: the same one again counts as a repetition.
        body = BODIES["create_response"] | {"input": f"Answered with {status}"}
        with pytest.raises(kind):
            client.call("create_response", json=body, context=context, retries=quick)
    verdict = httpx.get(f"{llmock}/_llmock/verdict", trust_env=False).json()
    assert verdict["findings"] == []
    assert httpx.get(f"{llmock}/_llmock/requests", trust_env=False).json()["count"] == 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["disconnect", "truncate"])
def test_a_stream_that_it_breaks_is_unknown_and_not_done(client, llmock, kind):
    order(llmock, {"type": "stream_fault", "kind": kind, "after_chunks": 3})
    body = BODIES["create_response"] | {"stream": True}
    try:
        with client.stream("create_response", json=body, context=builders.context()) as chunks:
            list(chunks)
    except errors.OutcomeUnknown:
        pass
    assert Call.objects.get().state == "unknown"


def order(llmock: str, behaviour: dict) -> None:
    httpx.post(f"{llmock}/_llmock/scenario", json={"behaviors": [behaviour]}, trust_env=False).raise_for_status()
