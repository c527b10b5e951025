"""What a page shows of a body: words, pictures, sound, and a tree of bounded size."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from operations import showing
from operations.showing import Part, Shown, show
from operations.tree import drawn, path_to

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 40
WAV = b"RIFF\x24\0\0\0WAVEfmt " + b"w" * 40


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def of(body: Any, content_type: str = "application/json", response_type: str = "json") -> tuple[Shown, list[Part]]:
        path = tmp_path / "body"
        path.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
        return show(path, content_type, response_type)

    return of


def events(*rows: dict[str, Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(row).encode() + b"\n\n" for row in rows)


CHAT = {"choices": [{"message": {"content": "One"}}, {"message": {"refusal": "No"}}]}
RESPONSE = {
    "object": "response",
    "output": [
        {"type": "reasoning", "summary": []},
        {"type": "message", "content": [{"type": "output_text", "text": "A"}, {"type": "refusal", "refusal": "B"}]},
    ],
}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (RESPONSE, "A\n\nB"),
        (CHAT, "Choice 1\nOne\n\nChoice 2\nNo"),
        ({"choices": [{"message": {"content": "Only"}}]}, "Only"),
        ({"choices": [{"text": "Old"}]}, "Old"),
        ({"text": "What was heard"}, "What was heard"),
        ({"results": [{"flagged": True, "categories": {"hate": True, "violence": False}}]}, "Input 1: flagged, hate"),
        ({"object": "list", "data": [{"id": "a"}, {"id": "b"}]}, "2 in the list\na\nb"),
        ({"object": "list", "data": [{"embedding": [0.1] * 1536}]}, "1 embedding: 1,536 numbers"),
        ({"error": {"message": "It stands in the notice."}}, ""),
        ({"id": "file-1"}, ""),
        ([1, 2], ""),
    ],
)  # fmt: skip
def test_the_words_of_an_answer(read: Any, body: Any, text: str) -> None:
    assert read(body)[0].text == text


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"b64_json": b64(PNG)}, {"b64_json": b64(PNG)}]},
        {"output": [{"type": "image_generation_call", "result": b64(PNG)}, {"partial_image_b64": b64(PNG)}]},
    ],
)
def test_pictures_are_taken_out_of_the_json(read: Any, body: Any) -> None:
    shown, parts = read(body)
    assert [(part.kind, part.content_type, part.content) for part in parts] == [("image", "image/png", PNG)] * 2
    assert "image/png, 48 bytes, number 2 above" in json.dumps(shown.tree) and b64(PNG) not in json.dumps(shown.tree)


def test_the_sound_of_a_chat_is_taken_out_too(read: Any) -> None:
    audio = {"id": "audio_1", "data": b64(WAV), "transcript": "Hello", "expires_at": 1}
    _, parts = read({"choices": [{"message": {"audio": audio}}]})
    assert [(part.kind, part.content) for part in parts] == [("audio", WAV)]


def test_the_sound_of_a_stream_is_put_together(read: Any) -> None:
    pieces = [
        {"type": "speech.audio.delta", "audio": b64(WAV[:12])},
        {"type": "speech.audio.delta", "audio": b64(WAV[12:])},
    ]
    _, parts = read(events(*pieces, {"type": "speech.audio.done"}), "text/event-stream")
    assert [part.content for part in parts] == [WAV]


def test_a_chat_that_was_streamed_is_text(read: Any) -> None:
    pieces = [{"choices": [{"delta": {"content": text}}]} for text in ("Hel", "lo")]
    shown, _ = read(events(*pieces) + b"data: [DONE]\n\n", "text/event-stream; charset=utf-8")
    assert (shown.text, shown.events) == ("Hello", 2)


@pytest.mark.parametrize(("kind", "media"), [("image/png", "image"), ("audio/mpeg", "audio"), ("video/mp4", "video")])
def test_a_body_that_is_a_picture_or_sound_is_one(read: Any, kind: str, media: str) -> None:
    shown, _ = read(b"anything", kind, "binary")
    assert (shown.media, shown.tree, len(shown.sha256)) == (media, None, 64)


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/pdf", "text/javascript"])
def test_nothing_that_could_be_a_page_is_shown_as_media(read: Any, kind: str) -> None:
    assert read(b"<script>1</script>", kind)[0].media == ""
    assert kind not in showing.MEDIA


def test_what_is_neither_json_nor_text_says_so(read: Any) -> None:
    shown, _ = read(b"\0\1\2" * 100, "application/octet-stream")
    assert (shown.text, shown.tree) == ("", None) and "neither text nor JSON" in shown.note


def test_json_that_is_none_is_shown_as_the_text_it_is(read: Any) -> None:
    shown, _ = read(b'{"a": ', "application/json")
    assert shown.text == '{"a": ' and "JSON was expected" in shown.note


def test_the_tree_is_bounded_and_says_so(read: Any) -> None:
    shown, _ = read({"rows": [{"name": "x" * 5000, "n": n} for n in range(5000)]})
    written = json.dumps(shown.tree)
    assert shown.tree_cut and len(written) < 400_000
    assert "more]" in written and "3,000 more characters" in written


def test_deep_json_is_no_trouble(read: Any) -> None:
    deep: Any = 1
    for _ in range(300):
        deep = {"a": deep}
    drawn(read(deep)[0].tree)


def test_the_tree_opens_without_script_and_names_the_path_of_each_value() -> None:
    html = drawn({"output": [{"with.dot": "<b>"}], "none": None, "empty": []})
    assert "<details open><summary>" in html and 'data-path="output.0.`with.dot`"' in html
    assert "&lt;b&gt;" in html and "<b>" not in html
    assert html.count("<details") == 3


def test_paths_are_written_as_mappings_write_them() -> None:
    from mappings.paths import get

    document = {"output": [{"with.dot": {"x": 7}}]}
    path = path_to(path_to(path_to(path_to("", "output"), 0), "with.dot"), "x")
    assert get(document, path) == 7
