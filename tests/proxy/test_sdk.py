"""The official SDK with nothing changed but its address and its key: every kind of call, through the real program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.conftest import Sandbox, free_port, wait_until
from tests.proxy.conftest import Sdk

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="Starts the program, which looks at /proc.")
MODEL = "gpt-6-luna"
ASKED: dict[str, Any] = {"model": MODEL, "input": "Write one line about the oak desk"}
CHAT: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Write one line about the oak desk"}]}


def row_of(sdk: Sdk, raw: Any, **expected: object) -> dict[str, Any]:
    """The log's row of a raw answer."""
    return sdk.shop.call(raw.headers["x-patchbay-call-id"], **expected)


# Calls


def test_a_response_is_made_read_listed_and_deleted(sdk: Sdk):
    responses = sdk.at().responses
    made = sdk.ask(responses.create(**ASKED))
    assert made.output_text and made.usage.total_tokens > 0
    assert sdk.ask(responses.retrieve(made.id)).output_text == made.output_text
    assert sdk.ask(responses.input_items.list(made.id)).data
    assert sdk.ask(responses.input_tokens.count(**ASKED)).input_tokens > 0
    sdk.ask(responses.delete(made.id))
    with pytest.raises(openai.NotFoundError):
        sdk.ask(responses.retrieve(made.id))


def test_the_raw_answer_has_openais_headers_and_names_its_row(sdk: Sdk):
    raw = sdk.ask(sdk.at().responses.with_raw_response.create(**ASKED))
    assert raw.headers["x-request-id"].startswith("req_") and raw.headers["openai-processing-ms"]
    assert int(raw.headers["x-ratelimit-remaining-requests"]) > 0 and raw.headers["x-ratelimit-reset-tokens"]
    made = raw.parse()
    row = row_of(sdk, raw, state="done", operation="create_response", http_status=200, cause_label="The shop")
    assert row["total_tokens"] == made.usage.total_tokens


def test_a_streamed_response(sdk: Sdk):
    events = sdk.every(sdk.at().responses.create(**ASKED, stream=True))
    assert [events[0].type, events[-1].type] == ["response.created", "response.completed"]
    used = events[-1].response.usage.total_tokens
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == events[-1].response.output_text
    sdk.shop.last_call(state="done", stream=True, total_tokens=used)


def test_a_chat(sdk: Sdk):
    made = sdk.ask(sdk.at().chat.completions.create(**CHAT))
    assert made.choices[0].message.content
    sdk.shop.last_call(state="done", operation="create_chat_completion", total_tokens=made.usage.total_tokens)


@pytest.mark.parametrize("counted", [True, False])
def test_a_streamed_chat_with_its_usage_and_without(sdk: Sdk, counted):
    more = {"stream_options": {"include_usage": True}} if counted else {}
    chunks = sdk.every(sdk.at().chat.completions.create(**CHAT, stream=True, **more))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    if counted:
        sdk.shop.last_call(state="done", stream=True, total_tokens=chunks[-1].usage.total_tokens)
    else:
        sdk.shop.last_call(state="done", stream=True)


def test_embeddings_and_moderations_and_models(sdk: Sdk):
    client = sdk.at()
    made = sdk.ask(client.embeddings.create(model="text-embedding-3-small", input=["desk", "lamp"]))
    assert [len(row.embedding) for row in made.data] == [1536, 1536]
    assert sdk.ask(client.moderations.create(input="a bomb")).results[0].flagged
    assert MODEL in [model.id for model in sdk.ask(client.models.list()).data]
    assert sdk.ask(client.models.retrieve(MODEL)).id == MODEL


def test_an_image_whole_and_streamed(sdk: Sdk):
    images = sdk.at().images
    assert sdk.ask(images.generate(model="gpt-image-2", prompt="A desk")).data[0].b64_json
    (event,) = sdk.every(images.generate(model="gpt-image-2", prompt="A desk", stream=True))
    assert event.type == "image_generation.completed"
    sdk.shop.last_call(state="done", total_tokens=event.usage.total_tokens)


def test_a_file_goes_up_is_listed_comes_down_and_is_deleted(sdk: Sdk):
    files = sdk.at().files
    content = bytes(range(256)) * 40
    made = sdk.ask(files.create(file=("desks.bin", content), purpose="user_data"))
    assert made.bytes == len(content)
    assert made.id in [file.id for file in sdk.ask(files.list()).data]
    assert sdk.ask(files.content(made.id)).read() == content
    assert sdk.ask(files.delete(made.id)).deleted


def test_a_file_too_large_to_be_held_goes_up_and_comes_down_the_same(sdk: Sdk):
    files = sdk.at().files
    content = b"".join(number.to_bytes(4) for number in range(1_250_000))
    made = sdk.ask(files.create(file=("desks.bin", content), purpose="user_data"))
    sdk.shop.last_call(state="done", operation="upload_file")
    assert made.bytes == len(content)
    assert sdk.ask(files.content(made.id)).read() == content


def test_speech_comes_as_sound_and_is_understood(sdk: Sdk):
    audio = sdk.at().audio
    sound = sdk.ask(
        audio.speech.create(model="tts-1", voice="alloy", input="An oak desk", response_format="wav")
    ).read()
    assert sound.startswith(b"RIFF")
    sdk.shop.last_call(state="done")
    asked = {"model": "whisper-1", "file": ("said.wav", sound)}
    heard = sdk.ask(audio.transcriptions.create(**asked))
    assert "said.wav" in heard.text
    events = sdk.every(audio.transcriptions.create(**asked, stream=True))
    assert events[-1].type == "transcript.text.done" and events[-1].text == heard.text
    sdk.shop.last_call(state="done")


def test_a_batch_runs_to_its_end(sdk: Sdk):
    client = sdk.at()
    line = json.dumps({"custom_id": "desk", "method": "POST", "url": "/v1/responses", "body": ASKED})
    given = sdk.ask(client.files.create(file=("in.jsonl", line.encode()), purpose="batch"))
    asked = {"input_file_id": given.id, "endpoint": "/v1/responses", "completion_window": "24h"}
    made = sdk.ask(client.batches.create(**asked))
    assert made.id in [batch.id for batch in sdk.ask(client.batches.list()).data]
    done = wait_until(lambda: (found := sdk.ask(client.batches.retrieve(made.id))).status == "completed" and found)
    answers = sdk.ask(client.files.content(done.output_file_id)).text
    assert json.loads(answers)["custom_id"] == "desk"


def test_a_vector_store_is_filled_searched_and_deleted(sdk: Sdk):
    client = sdk.at()
    file = sdk.ask(client.files.create(file=("desk.txt", b"An oak desk"), purpose="user_data"))
    store = sdk.ask(client.vector_stores.create(name="Desks"))
    assert sdk.ask(client.vector_stores.files.create(store.id, file_id=file.id)).status == "completed"
    assert sdk.ask(client.vector_stores.retrieve(store.id)).file_counts.completed == 1
    assert [hit.filename for hit in sdk.ask(client.vector_stores.search(store.id, query="which desk")).data] == [
        "desk.txt"
    ]
    assert sdk.ask(client.vector_stores.delete(store.id)).deleted


def test_a_path_that_patchbay_does_not_know_is_passed_on(sdk: Sdk):
    with pytest.raises(openai.NotFoundError, match=r"Invalid URL \(GET /v1/things/7\)"):
        sdk.ask(sdk.at().get("/things/7", cast_to=httpx.Response))
    sdk.shop.last_call(state="failed", http_status=404, path="/things/7")


# Errors: each is of the class that the SDK gives it without Patchbay


@pytest.mark.parametrize(
    ("at", "kind", "error"),
    [
        ("Shop", {"kind": "400"}, openai.BadRequestError),
        ("Shop", {"kind": "missing_scope", "status": 403}, openai.PermissionDeniedError),
        ("Shop", {"kind": "model_not_found"}, openai.NotFoundError),
        ("Shop", {"kind": "409"}, openai.ConflictError),
        ("Shop", {"kind": "500"}, openai.InternalServerError),
        ("Shop", {"kind": "503"}, openai.InternalServerError),
        ("Shop", {"kind": "503_slow_down"}, openai.InternalServerError),
        ("Shop", {"kind": "502_html"}, openai.InternalServerError),
        ("Refused", {"kind": "401"}, openai.AuthenticationError),
        ("Broke", {"kind": "insufficient_quota"}, openai.RateLimitError),
        ("Parked", {"kind": "rate_limit_exceeded", "headers": False}, openai.RateLimitError),
        ("Parked", {"kind": "rate_limit_exceeded", "type": "tokens", "headers": False}, openai.RateLimitError),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_openais_refusals_arrive_as_they_are(sdk: Sdk, sandbox_now: Sandbox, at, kind, error):
    sandbox_now.fault(**kind)
    with pytest.raises(openai.APIStatusError) as caught:
        sdk.ask(sdk.at(at).responses.create(**ASKED))
    assert type(caught.value) is error
    assert caught.value.response.headers["x-request-id"].startswith("req_")
    assert "sandbox-canary" not in caught.value.response.text
    row_of(sdk, caught.value.response, state="failed", http_status=caught.value.status_code)


def test_a_token_that_is_not_known_is_an_authentication_error_and_no_row(sdk: Sdk):
    before = sdk.shop.program.rows("SELECT count(*) FROM logs_call WHERE cause = 'proxy'")
    for token in ("pbt_wrong", "sk-sandbox", "x"):
        with pytest.raises(openai.AuthenticationError, match="no valid Patchbay token") as caught:
            sdk.ask(sdk.at(api_key=token, max_retries=2).models.list())
        assert caught.value.code == "invalid_api_key"
    assert sdk.shop.program.rows("SELECT count(*) FROM logs_call WHERE cause = 'proxy'") == before


def test_patchbays_own_limit_is_a_rate_limit_error_that_says_when_to_come_back(sdk: Sdk):
    narrow = sdk.at("Narrow")
    with pytest.raises(openai.RateLimitError, match="Rejected by the throttle") as caught:
        sdk.ask(narrow.models.list())
        sdk.ask(narrow.models.list())
    answer = caught.value.response
    assert caught.value.code == "throttle_rejected" and 1 <= int(answer.headers["retry-after"]) <= 62
    assert answer.headers["x-should-retry"] == "true" and int(answer.headers["retry-after-ms"]) <= 62_000
    row_of(sdk, answer, state="rejected", http_status=None)


def test_a_program_that_cannot_reach_patchbay_sees_a_connection_error(sdk: Sdk):
    with pytest.raises(openai.APIConnectionError):
        sdk.ask(sdk.at(base_url=f"http://127.0.0.1:{free_port()}/proxy/Shop/v1").models.list())


def test_a_program_that_waits_no_longer_leaves_and_the_row_says_so(sdk: Sdk, sandbox_now: Sandbox):
    sandbox_now.fault(kind="hang")
    with pytest.raises(openai.APITimeoutError):
        sdk.ask(sdk.at("Slow", timeout=0.5).responses.create(**ASKED))
    sdk.shop.last_call(state="unknown", error_code="client_left")
    wait_until(lambda: sandbox_now.witness()["concurrent"] == 0)


def test_a_program_that_leaves_the_line_has_sent_nothing(sdk: Sdk, sandbox_now: Sandbox):
    patient = sdk.at("Patient", timeout=0.5)
    with pytest.raises(openai.APITimeoutError):
        for _ in range(2):
            sdk.ask(patient.models.list())
    sdk.shop.last_call(state="cancelled", error_code="client_left")
    assert len(sandbox_now.journal()) <= 1


def test_an_answer_that_does_not_come_in_time_is_not_paid_twice(sdk: Sdk, sandbox_now: Sandbox):
    sandbox_now.fault(kind="hang")
    with pytest.raises(openai.InternalServerError, match=r"No answer within 0\.5 s") as caught:
        slow = sdk.at("Slow", max_retries=2)
        sdk.ask(slow.responses.create(**ASKED, extra_headers={"x-patchbay-timeout": "0.5"}))
    assert len(sandbox_now.journal()) == 1
    assert caught.value.status_code == 504 and caught.value.response.headers["x-should-retry"] == "false"
    row_of(sdk, caught.value.response, state="unknown", error_code="outcome_unknown")


def test_a_read_that_does_not_come_in_time_may_be_tried_again(sdk: Sdk, sandbox_now: Sandbox):
    sandbox_now.fault(kind="hang")
    slow = sdk.at("Slow", max_retries=1)
    assert sdk.ask(slow.with_options(default_headers={"x-patchbay-timeout": "0.5"}).models.list()).data


# Retries


def test_the_sdk_tries_again_by_itself_and_each_try_has_its_row(sdk: Sdk, sandbox_now: Sandbox):
    sandbox_now.fault(kind="500")
    raw = sdk.ask(sdk.at(max_retries=2).responses.with_raw_response.create(**ASKED))
    assert raw.retries_taken == 1 and len(sandbox_now.journal()) == 2
    row_of(sdk, raw, state="done", attempts=1)


def test_patchbay_tries_again_where_it_is_asked_to_in_one_row(sdk: Sdk, sandbox_now: Sandbox):
    sandbox_now.fault(kind="500")
    raw = sdk.ask(sdk.at().responses.with_raw_response.create(**ASKED, extra_headers={"x-patchbay-retries": "2"}))
    assert raw.retries_taken == 0 and len(sandbox_now.journal()) == 2
    row_of(sdk, raw, state="done", attempts=2)


# Streams that do not end well


def test_who_leaves_a_stream_closes_openais_side_at_once_and_keeps_what_came(sdk: Sdk, sandbox_now: Sandbox):
    sandbox_now.settings(stream_delay_seconds=0.3)
    stream = sdk.ask(sdk.at("Slow").responses.create(**ASKED, stream=True))
    assert sdk.first(stream).type == "response.created"
    sdk.ask(stream.close())
    wait_until(lambda: sandbox_now.witness()["concurrent"] == 0)
    call = sdk.shop.last_call(state="cancelled", error_code="client_left")
    kept = sdk.shop.program.rows("SELECT text FROM logs_body WHERE call_id = ? AND attempt = 1", call)
    assert "response.created" in str(kept) and "response.completed" not in str(kept)


def test_a_stream_that_breaks_is_seen_to_break(sdk: Sdk, sandbox_now: Sandbox):
    sandbox_now.fault(kind="broken_stream", events=3)
    with pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError)):
        sdk.every(sdk.at("Strange").responses.create(**ASKED, stream=True))
    sdk.shop.last_call(state="unknown", error_code="outcome_unknown")


def test_an_error_within_a_stream_arrives_as_openai_sends_it(sdk: Sdk, sandbox_now: Sandbox):
    sandbox_now.fault(kind="stream_error", events=3)
    events = sdk.every(sdk.at("Strange").responses.create(**ASKED, stream=True))
    assert "error" in [event.type for event in events]
    sdk.shop.last_call(state="failed", stream=True)


@pytest.fixture
def sandbox_now(running_sandbox: Sandbox) -> Sandbox:
    running_sandbox.clear()
    running_sandbox.settings(stream_delay_seconds=0, background_seconds=0.06, batch_seconds=0.06)
    return running_sandbox
