"""What a page shows of an answer's body: readable text, pictures and sound, and its JSON in a bounded form. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from openai_api import reading
from operations import events

# A body up to this size is read whole to be shown; a larger one is there to be saved.
MOST_READ = 32 * 1024 * 1024
MOST_TEXT = 200_000
MOST_NODES, MOST_ITEMS, MOST_STRING, DEEPEST = 1500, 100, 2000, 40
# What a browser shows itself, and what no browser can take for a page.
MEDIA = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "video/mp4": "mp4",
    "video/webm": "webm",
}
BEGINNINGS = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
)


@dataclass(frozen=True)
class Part:
    """A picture or sound that stood in the body. `kind` is image, audio or video; `content` is kept in a file of its own."""

    kind: str
    content_type: str
    content: bytes = field(repr=False)

    @property
    def described(self) -> dict[str, Any]:
        return {"kind": self.kind, "content_type": self.content_type, "size": len(self.content)}


@dataclass
class Shown:
    """`text` may be cut (`text_cut`), `tree` is JSON in which long values are cut. `media` is the kind that the body itself is.

    `note` says why there is nothing more to see. `sha256` is the body's, in hex.
    """

    text: str = ""
    text_cut: bool = False
    tree: Any = None
    tree_cut: bool = False
    media: str = ""
    note: str = ""
    sha256: str = ""
    events: int = 0
    parts: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def show(path: Path, content_type: str, response_type: str) -> tuple[Shown, list[Part]]:
    """Read a kept body. The parts are to be kept beside it, in this order."""
    size = path.stat().st_size
    kind = content_type.partition(";")[0].strip().lower()
    if kind in MEDIA:
        return Shown(media=kind.partition("/")[0], sha256=_sha256(path)), []
    if response_type == "binary":
        return Shown(
            note="Taken as it came and not read, as asked for. Save it to look inside.", sha256=_sha256(path)
        ), []
    if not size:
        return Shown(note="The answer has no body."), []
    if size > MOST_READ:
        return Shown(note="It is too large to be shown. Save it to look inside.", sha256=_sha256(path)), []
    return _read(path.read_bytes(), kind, response_type)


def _read(content: bytes, kind: str, response_type: str) -> tuple[Shown, list[Part]]:
    if kind == "text/event-stream" and response_type == "json":
        return _stream(content)
    body = reading.parse(content) if response_type == "json" else None
    if isinstance(body, (dict, list)):
        return _document(body, readable(body))
    text = _decoded(content)
    if text is None:
        sha256 = hashlib.sha256(content).hexdigest()
        return Shown(note="It is neither text nor JSON. Save it to look inside.", sha256=sha256), []
    note = "JSON was expected, and this is none. It is shown as text." if response_type == "json" else ""
    return Shown(text=text[:MOST_TEXT], text_cut=len(text) > MOST_TEXT, note=note), []


def _stream(content: bytes) -> tuple[Shown, list[Part]]:
    found = events.all_of(content)
    final = events.final_of(found)
    text = "".join(map(events.text_of, found))
    sound = _decoded_base64([event.get("delta") or event.get("audio") for event in found if _is_sound(event)])
    shown, parts = _document(final if final is not None else found, text or readable(final))
    shown.events = len(found)
    if sound:
        parts.append(Part("audio", type_of(sound) or "audio/wav", sound))
        shown.parts = [part.described for part in parts]
    return shown, parts


def _is_sound(event: dict[str, Any]) -> bool:
    return event.get("type") in ("speech.audio.delta", "response.audio.delta")


def _document(body: Any, text: str) -> tuple[Shown, list[Part]]:
    parts: list[Part] = []
    cutter = Cutter()
    tree = cutter.cut(_without_media(body, parts))
    shown = Shown(text=text[:MOST_TEXT], text_cut=len(text) > MOST_TEXT, tree=tree, tree_cut=cutter.has_cut)
    shown.parts = [part.described for part in parts]
    return shown, parts


# Fields that hold a file in base64.
FILES = ("b64_json", "partial_image_b64")


def _without_media(value: Any, parts: list[Part]) -> Any:
    """The same document with a few words in place of each picture and sound, which are put into `parts`."""
    if isinstance(value, list):
        return [_without_media(item, parts) for item in value]
    if not isinstance(value, dict):
        return value
    holders = set(FILES)
    holders |= {"result"} if value.get("type") == "image_generation_call" else set()
    holders |= {"data"} if "transcript" in value and "expires_at" in value else set()  # a chat completion's audio
    return {
        name: _taken_out(item, parts) if name in holders else _without_media(item, parts)
        for name, item in value.items()
    }


def _taken_out(value: Any, parts: list[Part]) -> Any:
    content = _decoded_base64([value])
    kind = type_of(content)
    if not kind:
        return value
    parts.append(Part(kind.partition("/")[0], kind, content))
    return f"[{kind}, {len(content):,} bytes, number {len(parts)} above]"


def _decoded_base64(texts: list[Any]) -> bytes:
    try:
        return b"".join(base64.b64decode(text, validate=True) for text in texts if isinstance(text, str))
    except (binascii.Error, ValueError):
        return b""


def type_of(content: bytes) -> str:
    """What a file is, by its first bytes; empty for what is not shown."""
    if content[:4] == b"RIFF":
        return {b"WAVE": "audio/wav", b"WEBP": "image/webp"}.get(content[8:12], "")
    return next((kind for beginning, kind in BEGINNINGS if content.startswith(beginning)), "")


def readable(body: Any) -> str:
    """The words of an answer that people read; empty where it has none of the known shapes."""
    if not isinstance(body, dict):
        return ""
    return next(
        (text for text in (_response(body), _choices(body), _plain(body), _moderation(body), _list(body)) if text), ""
    )


def _response(body: dict[str, Any]) -> str:
    items = [item for item in _dicts(body.get("output")) if item.get("type") == "message"]
    contents = [content for item in items for content in _dicts(item.get("content"))]
    return "\n\n".join(_texts(contents, "text", "refusal"))


def _choices(body: dict[str, Any]) -> str:
    choices = list(_dicts(body.get("choices")))
    texts = [next(_texts([choice.get("message") or choice], "content", "refusal", "text"), "") for choice in choices]
    if len(texts) < 2:
        return "".join(texts)
    return "\n\n".join(f"Choice {number}\n{text}" for number, text in enumerate(texts, 1))


def _plain(body: dict[str, Any]) -> str:
    return body["text"] if isinstance(body.get("text"), str) else ""


def _moderation(body: dict[str, Any]) -> str:
    said = []
    for number, result in enumerate(_dicts(body.get("results")), 1):
        categories = result.get("categories") if isinstance(result.get("categories"), dict) else {}
        named = ", ".join(name for name, flagged in (categories or {}).items() if flagged is True)
        if isinstance(result.get("flagged"), bool):
            said.append(
                f"Input {number}: flagged, {named or 'no category named'}"
                if result["flagged"]
                else f"Input {number}: not flagged"
            )
    return "\n".join(said)


def _list(body: dict[str, Any]) -> str:
    if body.get("object") != "list" or not isinstance(body.get("data"), list):
        return ""
    rows = list(_dicts(body["data"]))
    vectors = [row["embedding"] for row in rows if isinstance(row.get("embedding"), (list, str))]
    if vectors:
        sizes = ", ".join(
            f"{len(vector):,} numbers" if isinstance(vector, list) else "packed" for vector in vectors[:5]
        )
        return f"{len(vectors)} embedding{'s' if len(vectors) > 1 else ''}: {sizes}"
    more = "\nThere are more: ask for the page after the last one." if body.get("has_more") is True else ""
    ids = [str(row["id"]) for row in rows if "id" in row]
    return "\n".join([f"{len(rows)} in the list", *ids[:200]]) + more


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _texts(rows: list[Any], *names: str) -> Iterator[str]:
    for row in rows:
        found = [row[name] for name in names if isinstance(row, dict) and isinstance(row.get(name), str)]
        yield from found[:1]


class Cutter:
    """Makes a document small enough for a page: so many values, so many in a list, so many letters in a text."""

    def __init__(self) -> None:
        self._left = MOST_NODES
        self.has_cut = False

    def cut(self, value: Any, depth: int = 0) -> Any:
        self._left -= 1
        if isinstance(value, str):
            return self._text(value)
        if not isinstance(value, (dict, list)) or not value:
            return value
        if depth >= DEEPEST or self._left <= 0:
            return self._instead(f"[{len(value):,} more inside]")
        if isinstance(value, list):
            return self._list(value, depth)
        return self._object(value, depth)

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        found: list[Any] = []
        for item in value:
            if len(found) >= MOST_ITEMS or self._left <= 0:
                return [*found, self._instead(f"[{len(value) - len(found):,} more]")]
            found.append(self.cut(item, depth + 1))
        return found

    def _object(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, item in value.items():
            if self._left <= 0:
                found["…"] = self._instead(f"[{len(value) - len(found):,} more]")
                break
            found[name] = self.cut(item, depth + 1)
        return found

    def _text(self, value: str) -> str:
        if len(value) <= MOST_STRING:
            return value
        return f"{value[:MOST_STRING]} {self._instead(f'[{len(value) - MOST_STRING:,} more characters]')}"

    def _instead(self, words: str) -> str:
        self.has_cut = True
        return words


def _decoded(content: bytes) -> str | None:
    """As text, if it is such; a file of bytes has zeros in it."""
    if b"\0" in content[:4096]:
        return None
    text = content[: 4 * MOST_TEXT + 4].decode("utf-8", "replace")
    return None if text[:4096].count("\ufffd") > 8 else text


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
