"""Embeddings, images, moderations and models."""

import base64
import math
import struct
import zlib

import openai
import pytest
from openai.types import CreateEmbeddingResponse, ImagesResponse, Model, ModerationCreateResponse

from tests.sandbox.conftest import Client, Sandbox

SMALL = "text-embedding-3-small"


def test_embeddings_are_unit_vectors_of_the_text(client: Client):
    one, two, three = client.embeddings.create(model=SMALL, input=["desk", "desk", "lamp"]).data
    assert len(one.embedding) == 1536
    assert math.hypot(*one.embedding) == pytest.approx(1, abs=1e-5)
    assert one.embedding == two.embedding != three.embedding


def test_fewer_dimensions_are_of_length_one_again(client: Client):
    vector = (
        client.embeddings.create(model=SMALL, input="desk", dimensions=8, encoding_format="float").data[0].embedding
    )
    assert len(vector) == 8
    assert math.hypot(*vector) == pytest.approx(1)


def test_base64_holds_the_same_numbers(sandbox: Sandbox):
    rows = [
        sandbox.post("embeddings", {"model": SMALL, "input": "desk", "dimensions": 4, "encoding_format": form}).json()
        for form in ("float", "base64")
    ]
    CreateEmbeddingResponse.model_validate(rows[0], strict=True)
    plain, packed = (row["data"][0]["embedding"] for row in rows)
    assert struct.unpack("<4f", base64.b64decode(packed)) == pytest.approx(plain)


@pytest.mark.parametrize("given", ["", [], ["x", ""], [{}], "x" * 40_000])
def test_inputs_to_embed_are_checked(sandbox: Sandbox, given):
    assert sandbox.post("embeddings", {"model": SMALL, "input": given}).status_code == 400


def test_an_image_is_a_real_png_of_the_size_asked_for(sandbox: Sandbox):
    answer = sandbox.post("images/generations", {"prompt": "A desk", "n": 2, "size": "1536x1024"}).json()
    made = ImagesResponse.model_validate(answer, strict=True)
    assert made.data and len(made.data) == 2
    picture = base64.b64decode(made.data[0].b64_json or "")
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture[16:24]) == (1536, 1024)
    length = picture.index(b"IDAT")
    size = struct.unpack(">I", picture[length - 4 : length])[0]
    assert len(zlib.decompress(picture[length + 4 : length + 4 + size])) == 1537 * 1024
    assert made.usage and made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens


def test_an_image_can_be_streamed(client: Client):
    (event,) = client.images.generate(prompt="A desk", model="gpt-image-2", stream=True)
    assert event.type == "image_generation.completed"
    assert event.usage.output_tokens > 0


def test_moderation_flags_what_it_is_told_to(client: Client, sandbox: Sandbox):
    ModerationCreateResponse.model_validate(sandbox.post("moderations", {"input": "A desk"}).json(), strict=True)
    calm, harsh = client.moderations.create(input=["A desk", "I will kill the process"]).results
    assert (calm.flagged, harsh.flagged, harsh.categories.violence) == (False, True, True)


def test_models_say_when_they_end(sandbox: Sandbox, client: Client):
    rows = [Model.model_validate(row, strict=True) for row in sandbox.get("models").json()["data"]]
    ends = {row.id: row.shutdown_date for row in rows}
    assert len(ends) >= 12
    assert ends["gpt-5-nano"] == "2026-12-11"
    assert ends["gpt-6-luna"] is None
    assert client.models.retrieve("gpt-5-nano").shutdown_date == "2026-12-11"


def test_an_unknown_model_is_not_found_wherever_it_is_named(client: Client):
    for use in (
        lambda: client.models.retrieve("gpt-none"),
        lambda: client.responses.create(model="gpt-none", input="x"),
        lambda: client.embeddings.create(model="gpt-none", input="x"),
    ):
        with pytest.raises(openai.NotFoundError) as caught:
            use()
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_a_model_is_refused_for_work_of_another_kind(client: Client):
    with pytest.raises(openai.BadRequestError, match="not supported"):
        client.responses.create(model=SMALL, input="x")
