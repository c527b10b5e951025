import json
import time
from typing import Any

import openai
import pytest
from openai.types import Batch, FileObject

from tests.sandbox.conftest import Client, Listener, Sandbox

MODEL = "gpt-6-luna"


def line(number: int, url: str = "/v1/responses", **body: object) -> str:
    body = {"model": MODEL, "input": f"Product {number}"} | body
    return json.dumps({"custom_id": f"row-{number}", "method": "POST", "url": url, "body": body})


def upload(client: Client, *lines: str) -> Any:
    return client.files.create(file=("in.jsonl", "\n".join(lines).encode()), purpose="batch").id


def create(client: Client, *lines: str, endpoint: str = "/v1/responses") -> Any:
    return client.batches.create(
        input_file_id=upload(client, *lines), endpoint=endpoint, completion_window="24h", metadata={"run": "1"}
    )


def until(client: Client, batch: Batch, *statuses: str) -> Batch:
    deadline = time.monotonic() + 30
    while batch.status not in statuses:
        assert time.monotonic() < deadline, batch
        batch = client.batches.retrieve(batch.id)
    return batch


def rows(client: Client, id: str | None) -> dict[str, Any]:
    text = client.files.content(id or "").text
    return {row["custom_id"]: row for row in map(json.loads, text.splitlines())}


def test_a_file_is_uploaded_read_listed_and_deleted(client: Client):
    file = client.files.create(file=("notes.txt", b"h\xc3\xa9llo"), purpose="user_data")
    assert (file.filename, file.bytes, file.purpose) == ("notes.txt", 6, "user_data")
    assert client.files.content(file.id).content == b"h\xc3\xa9llo"
    FileObject.model_validate(client.files.retrieve(file.id).model_dump(exclude_unset=True), strict=True)
    assert [kept.id for kept in client.files.list()] == [file.id]
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_files_are_listed_page_by_page_and_by_purpose(client: Client):
    ids = [client.files.create(file=(f"{n}.txt", b"x"), purpose="user_data").id for n in range(5)]
    upload(client, line(1))
    page = client.files.list(limit=2, purpose="user_data", order="asc")
    assert [file.id for file in page.data] == ids[:2]
    assert page.has_more
    assert [file.id for file in client.files.list(limit=2, purpose="user_data", order="asc")] == ids
    assert [file.id for file in client.files.list(limit=3, purpose="user_data")] == ids[::-1]


@pytest.mark.parametrize(
    ("form", "param"), [({}, "purpose"), ({"purpose": "fun"}, "purpose"), ({"purpose": "vision", "x": "y"}, "x")]
)
def test_an_upload_is_checked(sandbox: Sandbox, form, param):
    answer = sandbox.http.post("/v1/files", files={"file": b"x"}, data=form)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_a_batch_goes_from_validating_to_its_output_and_its_webhook(
    sandbox: Sandbox, client: Client, listener: Listener
):
    client.webhooks.create(name="b", url=listener.url, event_types=["batch.completed"])
    batch = create(client, line(1), line(2, model="gpt-none"), line(3))
    assert batch.status == "validating"
    done = until(client, batch, "completed")
    Batch.model_validate(sandbox.get(f"batches/{batch.id}").json(), strict=True)
    assert done.request_counts and done.request_counts.model_dump() == {"total": 3, "completed": 2, "failed": 1}
    answers = rows(client, done.output_file_id)
    assert set(answers) == {"row-1", "row-3"}
    assert answers["row-1"]["response"]["body"]["status"] == "completed"
    assert rows(client, done.error_file_id)["row-2"]["response"]["body"]["error"]["code"] == "model_not_found"
    assert done.usage and done.usage.total_tokens > 0
    ((_, body),) = listener.wait_for(1)
    assert json.loads(body)["data"] == {"id": batch.id}


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("/v1/chat/completions", {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}),
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "x"}),
        ("/v1/moderations", {"input": "x"}),
    ],
)
def test_a_batch_takes_other_endpoints(client: Client, endpoint, body):
    asked = json.dumps({"custom_id": "a", "method": "POST", "url": endpoint, "body": body})
    done = until(client, create(client, asked, endpoint=endpoint), "completed")
    assert rows(client, done.output_file_id)["a"]["response"]["status_code"] == 200


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([""], "empty_file"),
        (["{"], "invalid_json_line"),
        ([line(1), line(1)], "duplicate_custom_id"),
        ([line(1, url="/v1/embeddings")], "mismatched_endpoint"),
    ],
)
def test_a_bad_input_file_fails_the_batch_and_says_where(client: Client, lines, code):
    failed = until(client, create(client, *lines), "failed")
    assert failed.errors and failed.errors.data and failed.errors.data[0].code == code


def test_a_batch_is_cancelled_and_then_stays_so(sandbox: Sandbox, client: Client):
    sandbox.set(batch_seconds=0.3)
    batch = create(client, line(1))
    assert client.batches.cancel(batch.id).status == "cancelling"
    until(client, batch, "cancelled")
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(batch.id)
    assert [kept.id for kept in client.batches.list()] == [batch.id]


def test_a_batch_needs_a_file_made_for_it(client: Client):
    file = client.files.create(file=("a.txt", b"x"), purpose="user_data")
    with pytest.raises(openai.BadRequestError, match="purpose"):
        client.batches.create(input_file_id=file.id, endpoint="/v1/responses", completion_window="24h")
    with pytest.raises(openai.NotFoundError):
        client.batches.create(input_file_id="file-none", endpoint="/v1/responses", completion_window="24h")
