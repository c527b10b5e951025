"""Files larger than what a process may hold go up and come down through the real program, and its memory stays where it is."""

from __future__ import annotations

import re
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.proxy.conftest import Shop
from tests.proxy.raw import FarSide
from tests.whole.memory import Memory

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="Looks at memory in /proc.")
# Run by hand with 512 as well; with this much it takes a second.
MEGABYTES = 128
MOST_EXTRA = 64
PIECE = bytes(range(256)) * 4096
SMALL = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
MOVE = "from connections.models import Connection; Connection.objects.filter(name='Big').update(base_url={!r})"


def far_side(link: socket.socket) -> None:
    """Takes a body and says how long it was and what it adds up to, or gives a file out."""
    head, _, body = link.recv(1 << 16).partition(b"\r\n\r\n")
    if head.startswith(b"GET /v1/models"):
        link.sendall(SMALL)
        return
    if head.startswith(b"GET"):
        link.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\nconnection: close\r\n")
        link.sendall(b"content-length: %d\r\n\r\n" % (MEGABYTES << 20))
        for _ in range(MEGABYTES):
            link.sendall(PIECE)
        return
    length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
    size, sum_ = len(body), zlib.crc32(body)
    while size < length:
        chunk = link.recv(1 << 20)
        size, sum_ = size + len(chunk), zlib.crc32(chunk, sum_)
    said = b'{"size": %d, "sum": %d}' % (size, sum_)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
    link.sendall(head % len(said) + said)


@pytest.fixture(scope="module")
def big(shop: Shop) -> Iterator[str]:
    side = FarSide(far_side)
    shop.program.manage("shell", "-v", "0", "-c", MOVE.format(side.url))
    yield shop.url("Big")
    side.close()


@pytest.fixture
def memory(shop: Shop, big: str) -> Memory:
    httpx.get(f"{big}/models", headers={"authorization": f"Bearer {shop.token}"}, trust_env=False, timeout=60)
    made = Memory(shop.program)
    made.reset()
    return made


def headers(shop: Shop) -> dict[str, str]:
    return {"authorization": f"Bearer {shop.token}", "content-type": "application/octet-stream"}


def test_a_large_file_goes_up(shop: Shop, big: str, memory: Memory):
    length = {"content-length": str(MEGABYTES << 20)}
    pieces = (PIECE for _ in range(MEGABYTES))
    answer = httpx.post(f"{big}/files", content=pieces, headers=headers(shop) | length, trust_env=False, timeout=300)
    expected = 0
    for _ in range(MEGABYTES):
        expected = zlib.crc32(PIECE, expected)
    assert answer.json() == {"size": MEGABYTES << 20, "sum": expected}
    shop.last_call(state="done", operation="upload_file")
    assert memory.most() < MOST_EXTRA


def test_a_large_file_comes_down_to_a_reader_who_takes_its_time(shop: Shop, big: str, memory: Memory):
    size = 0
    with httpx.stream(
        "GET", f"{big}/files/file-1/content", headers=headers(shop), trust_env=False, timeout=300
    ) as answer:
        for chunk in answer.iter_raw():
            time.sleep(0.5 if size == 0 else 0)
            size += len(chunk)
    assert size == MEGABYTES << 20
    shop.last_call(state="done", http_status=200)
    assert memory.most() < MOST_EXTRA
