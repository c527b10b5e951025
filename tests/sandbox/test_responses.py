import json
import time
from typing import Any

import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.sandbox.conftest import Client, Sandbox

MODEL = "gpt-6-luna"
ASKED = {"model": MODEL, "input": "Write one line. Name: Oak desk, Material: solid oak"}
ORDER = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


def until_ended(client: Client, id: str) -> Any:
    deadline = time.monotonic() + 30
    while (response := client.responses.retrieve(id)).status in ("queued", "in_progress"):
        assert time.monotonic() < deadline
    return response


def test_a_plain_answer_satisfies_the_official_types_strictly(sandbox: Sandbox):
    answer = sandbox.post("responses", ASKED | {"metadata": {"record": "7"}, "instructions": "Be brief."}).json()
    response = Response.model_validate(answer, strict=True)
    assert response.status == "completed"
    assert "Oak desk" in response.output_text
    assert response.metadata == {"record": "7"}
    assert response.instructions == "Be brief."
    assert response.usage and response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


def test_the_same_question_gets_the_same_answer_and_another_another(client: Client):
    texts = [client.responses.create(model=MODEL, input=text).output_text for text in ("Red lamp", "Red lamp", "Sofa")]
    assert texts[0] == texts[1] != texts[2]


def test_a_stream_has_every_event_in_order_with_usage_in_the_last_only(client: Client):
    events = list(client.responses.create(**ASKED, stream=True))
    assert list(dict.fromkeys(event.type for event in events)) == ORDER
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    last = events[-1].response
    assert len(deltas) > 3
    assert "".join(deltas) == last.output_text
    assert last.usage is not None
    assert all(event.response.usage is None for event in events[:-1] if hasattr(event, "response"))


def test_every_event_of_a_stream_satisfies_the_official_types_strictly(sandbox: Sandbox):
    text = sandbox.post("responses", ASKED | {"stream": True}).text
    adapter = TypeAdapter(ResponseStreamEvent)
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        event = adapter.validate_python(json.loads(data.removeprefix("data: ")), strict=True)
        assert name == f"event: {event.type}"


def test_structured_output_is_an_object_of_the_schema(client: Client):
    schema = {
        "type": "object",
        "properties": {"headline": {"type": "string", "maxLength": 20}, "stars": {"type": "integer", "maximum": 5}},
        "required": ["headline", "stars"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "name": "ad", "schema": schema, "strict": True}
    answer = json.loads(client.responses.create(**ASKED, text={"format": form}).output_text)
    assert set(answer) == {"headline", "stars"}
    assert len(answer["headline"]) <= 20
    assert 0 <= answer["stars"] <= 5


def test_a_background_response_is_queued_then_worked_on_then_completed(sandbox: Sandbox, client: Client):
    sandbox.set(background_seconds=0.8)
    begun = client.responses.create(**ASKED, background=True)
    seen = [begun.status]
    deadline = time.monotonic() + 30
    while seen[-1] != "completed":
        assert time.monotonic() < deadline
        status = client.responses.retrieve(begun.id).status
        seen += [status] if status != seen[-1] else []
    assert seen == ["queued", "in_progress", "completed"]


def test_a_background_response_can_be_cancelled_twice(sandbox: Sandbox, client: Client):
    sandbox.set(background_seconds=30)
    begun = client.responses.create(**ASKED, background=True)
    assert client.responses.cancel(begun.id).status == "cancelled"
    assert client.responses.cancel(begun.id).status == "cancelled"


def test_a_synchronous_response_cannot_be_cancelled(client: Client):
    done = client.responses.create(**ASKED)
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        client.responses.cancel(done.id)


def test_a_background_stream_can_be_taken_up_where_it_was_left(client: Client):
    events = list(client.responses.create(**ASKED, background=True, stream=True))
    assert [event.type for event in events[:3]] == ["response.created", "response.queued", "response.in_progress"]
    rest = list(client.responses.retrieve(events[0].response.id, stream=True, starting_after=4))
    assert [event.sequence_number for event in rest] == list(range(5, len(events)))


def test_a_response_made_without_a_stream_has_none_to_repeat(client: Client):
    done = client.responses.create(**ASKED)
    with pytest.raises(openai.BadRequestError, match="stream=true"):
        client.responses.retrieve(done.id, stream=True)


def test_a_stored_response_is_found_with_its_input_until_it_is_deleted(client: Client):
    done = client.responses.create(
        model=MODEL, input=[{"role": "user", "content": "First"}, {"role": "assistant", "content": "Second"}]
    )
    assert client.responses.retrieve(done.id) == done
    items = client.responses.input_items.list(done.id, order="asc").data
    assert [(item.type, item.role, item.content[0].type) for item in items] == [
        ("message", "user", "input_text"),
        ("message", "assistant", "output_text"),
    ]
    client.responses.delete(done.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(done.id)


def test_what_is_not_to_be_stored_is_not_found_again(client: Client):
    done = client.responses.create(**ASKED, store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(done.id)


def test_a_response_of_another_project_is_not_found(sandbox: Sandbox, client: Client):
    done = client.responses.create(**ASKED)
    with pytest.raises(openai.NotFoundError):
        sandbox.client(project="proj_other").responses.retrieve(done.id)


def test_a_previous_response_must_be_known(client: Client):
    first = client.responses.create(**ASKED)
    assert client.responses.create(**ASKED, previous_response_id=first.id).previous_response_id == first.id
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(**ASKED, previous_response_id="resp_unknown")
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


def test_too_few_output_tokens_leave_the_answer_incomplete(client: Client):
    cut = client.responses.create(**ASKED, max_output_tokens=16)
    assert cut.status == "incomplete"
    assert cut.incomplete_details and cut.incomplete_details.reason == "max_output_tokens"
    assert cut.usage and cut.usage.output_tokens == 16


def test_an_image_in_the_input_is_answered_as_a_picture(client: Client):
    content = [
        {"type": "input_text", "text": "What is in it?"},
        {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
    ]
    answer = client.responses.create(model=MODEL, input=[{"role": "user", "content": content}])
    assert answer.output_text.startswith("The picture")


def test_input_tokens_can_be_counted_beforehand(client: Client):
    assert client.responses.input_tokens.count(model=MODEL, input="x" * 40).input_tokens == 10


def test_a_background_response_that_fails_says_so(sandbox: Sandbox, client: Client):
    sandbox.fail("failed")
    ended = until_ended(client, client.responses.create(**ASKED, background=True).id)
    assert ended.status == "failed"
    assert ended.error and ended.error.code == "server_error"
