"""A body of parts is the same whole and in pieces, and its size is known before."""

from __future__ import annotations

import io
from email import message_from_bytes

import pytest

from openai_api import loop, multipart
from openai_api.multipart import Body, Part


async def gathered(body: Body) -> bytes:
    return b"".join([piece async for piece in body])


@pytest.fixture
def body() -> Body:
    large = bytes(range(256)) * 4000
    return Body(
        [
            Part.text("prompt", "Grüße\nan alle"),
            Part("image[]", io.BytesIO(large), len(large), 'a "b"\r\n.png', "image/png"),
            Part("mask", b"m", 1, "m.png", "image/png"),
        ]
    )


def test_pieces_are_the_whole_each_time_they_are_asked_for(body: Body) -> None:
    whole = body.whole()
    assert [loop.run(gathered(body)) for _ in range(2)] == [whole, whole]
    assert len(whole) == body.size


def test_it_is_read_as_it_was_meant(body: Body) -> None:
    head = f"content-type: {body.content_type}\r\n\r\n".encode()
    parts = message_from_bytes(head + body.whole()).get_payload()
    assert [part.get_param("name", header="content-disposition") for part in parts] == ["prompt", "image[]", "mask"]  # type: ignore[union-attr]
    assert "\r\n" not in parts[1].get_filename() and len(parts[1].get_payload(decode=True)) == 256 * 4000  # type: ignore[union-attr,arg-type]


def test_large_files_come_in_pieces(body: Body) -> None:
    async def longest() -> int:
        return max([len(piece) async for piece in body])

    assert loop.run(longest()) == multipart.PIECE
