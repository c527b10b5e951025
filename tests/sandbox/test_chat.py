import json

import openai
import pytest
from openai.types.chat import ChatCompletion

from tests.sandbox.conftest import Client, Sandbox

ASKED = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "A line about the oak desk"}]}


def test_a_completion_satisfies_the_official_types_strictly(sandbox: Sandbox):
    completion = ChatCompletion.model_validate(sandbox.post("chat/completions", ASKED | {"n": 2}).json(), strict=True)
    first, second = completion.choices
    assert first.finish_reason == "stop"
    assert first.message.content != second.message.content
    assert completion.usage and completion.usage.prompt_tokens > 0


def test_a_stream_ends_with_its_reason_and_without_usage_unless_asked(client: Client):
    chunks = list(client.chat.completions.create(**ASKED, stream=True))
    whole = client.chat.completions.create(**ASKED).choices[0].message.content
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert not any(chunk.usage for chunk in chunks)


def test_usage_comes_in_a_last_chunk_without_choices(client: Client):
    *_, last = client.chat.completions.create(**ASKED, stream=True, stream_options={"include_usage": True})
    assert last.choices == []
    assert last.usage and last.usage.total_tokens > 0


def test_the_wire_ends_with_done(sandbox: Sandbox):
    assert sandbox.post("chat/completions", ASKED | {"stream": True}).text.endswith("data: [DONE]\n\n")


def test_a_schema_is_answered_with_json(client: Client):
    schema = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}
    form = {"type": "json_schema", "json_schema": {"name": "tags", "schema": schema}}
    answer = client.chat.completions.create(**ASKED, response_format=form).choices[0].message.content
    assert all(isinstance(tag, str) for tag in json.loads(answer or "")["tags"])


def test_an_answer_that_is_too_long_is_cut(client: Client):
    assert client.chat.completions.create(**ASKED, max_completion_tokens=3).choices[0].finish_reason == "length"


@pytest.mark.parametrize(
    ("messages", "param"),
    [([], "messages"), ([{"role": "king", "content": "x"}], "messages[0].role"), (["x"], "messages[0]")],
)
def test_messages_are_checked(client: Client, messages, param):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="gpt-6-luna", messages=messages)
    assert caught.value.param == param
