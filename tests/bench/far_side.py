"""A far side that costs next to nothing: one fixed answer, after a latency. `python -m tests.bench.far_side PORT SECONDS`

Whoever asks for a stream gets EVENTS events, GAP seconds apart, each with the moment (of the clock that all processes of a
machine share) when it was sent.
"""

from __future__ import annotations

import asyncio
import sys
import time

import uvloop

BODY = (
    b'{"id":"resp_1","object":"response","created_at":1795000000,"status":"completed","model":"gpt-6-luna","output":[],'
    b'"error":null,"incomplete_details":null,"instructions":null,"metadata":{},"parallel_tool_calls":true,'
    b'"temperature":1.0,"tool_choice":"auto","tools":[],"top_p":1.0,'
    b'"usage":{"input_tokens":10,"output_tokens":20,"total_tokens":30}}'
)
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_1\r\n"
    b"x-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\n"
    b"x-ratelimit-reset-requests: 6ms\r\ncontent-length: %d\r\n\r\n"
)
ANSWER = HEAD % len(BODY) + BODY
EVENTS, GAP = 50, 0.01
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
LAST = b'data: {"type":"response.completed","response":' + BODY + b"}\n\n"


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
            asked, self.waiting = self.waiting[:whole], self.waiting[whole:]
            if b'"stream":true' in asked:
                self.transport.write(STREAM)
                self.event(0)
            else:
                asyncio.get_running_loop().call_later(self.latency, self.transport.write, ANSWER)

    def event(self, number: int) -> None:
        if number == EVENTS:
            self.transport.write(_chunk(LAST) + b"0\r\n\r\n")
            return
        said = b'{"type":"response.output_text.delta","delta":"word","sent":%d}' % time.monotonic_ns()
        self.transport.write(_chunk(b"data: " + said + b"\n\n"))
        asyncio.get_running_loop().call_later(GAP, self.event, number + 1)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def main(port: int, latency: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: FarSide(latency), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
