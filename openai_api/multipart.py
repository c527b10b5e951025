"""multipart/form-data (RFC 7578): whole, or in pieces where its files are too large to be held."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

PIECE = 256 * 1024

Files = Mapping[str, tuple[str, bytes, str]]


@dataclass(frozen=True)
class Part:
    """A field of a form, or a file of it if it has a content type. `content` is bytes or an open file of `size` bytes."""

    name: str
    content: bytes | BinaryIO = field(repr=False)
    size: int
    file_name: str = ""
    content_type: str = ""

    @classmethod
    def text(cls, name: str, value: str) -> Part:
        content = value.encode()
        return cls(name, content, len(content))

    @property
    def head(self) -> bytes:
        disposition = f'form-data; name="{_quoted(self.name)}"'
        if self.content_type:
            disposition += f'; filename="{_quoted(self.file_name)}"\r\nContent-Type: {self.content_type}'
        return f"Content-Disposition: {disposition}\r\n\r\n".encode()


class Body:
    """A body of parts: `size` in bytes, `content_type`, and its pieces, from the beginning each time they are asked for."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._boundary = uuid.uuid4().hex
        self._parts = [(f"--{self._boundary}\r\n".encode() + part.head, part) for part in parts]
        self._end = f"--{self._boundary}--\r\n".encode()
        self.content_type = f"multipart/form-data; boundary={self._boundary}"
        self.size = sum(len(head) + part.size + 2 for head, part in self._parts) + len(self._end)

    def whole(self) -> bytes:
        said = [head + _all(part) + b"\r\n" for head, part in self._parts]
        return b"".join(said) + self._end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for head, part in self._parts:
            yield head
            if isinstance(part.content, bytes):
                yield part.content
            else:
                async for piece in _read(part.content):
                    yield piece
            yield b"\r\n"
        yield self._end


def multipart(values: Mapping[str, object], files: Files) -> tuple[bytes, str]:
    """A body that is held whole, and its content type. `files`: field → (file name, content, content type)."""
    parts = [Part.text(name, str(value)) for name, value in values.items()]
    parts += [Part(name, content, len(content), called, kind) for name, (called, content, kind) in files.items()]
    body = Body(parts)
    return body.whole(), body.content_type


async def _read(file: BinaryIO) -> AsyncIterator[bytes]:
    """In a thread: the disk may be slow, and other calls share this loop."""
    await asyncio.to_thread(file.seek, 0)
    while piece := await asyncio.to_thread(file.read, PIECE):
        yield piece


def _all(part: Part) -> bytes:
    if isinstance(part.content, bytes):
        return part.content
    part.content.seek(0)
    return part.content.read()


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
