"""A far side that costs next to nothing: one fixed answer, after a latency. `python -m tests.bench.far_side PORT SECONDS`"""

from __future__ import annotations

import asyncio
import sys

import uvloop

BODY = (
    b'{"id":"resp_1","object":"response","status":"completed","model":"gpt-6-luna","output":[],'
    b'"usage":{"input_tokens":10,"output_tokens":20,"total_tokens":30}}'
)
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_1\r\n"
    b"x-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\n"
    b"x-ratelimit-reset-requests: 6ms\r\ncontent-length: %d\r\n\r\n"
)
ANSWER = HEAD % len(BODY) + BODY


class FarSide(asyncio.Protocol):
    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head = self.waiting[:end].lower()
            _, found, rest = head.partition(b"content-length:")
            whole = end + 4 + (int(rest.split(b"\r\n")[0]) if found else 0)
            if len(self.waiting) < whole:
                return
            self.waiting = self.waiting[whole:]
            asyncio.get_running_loop().call_later(self.latency, self.transport.write, ANSWER)


async def main(port: int, latency: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: FarSide(latency), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
