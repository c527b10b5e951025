"""What a gateway adds to a stream: from the moment an event is sent until its reader has it. See README.md here.

First bytes also carry what it takes to let the call in; later ones only what it takes to pass them on.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from contextlib import ExitStack
from statistics import median, quantiles

from tests.bench.far_side import EVENTS
from tests.bench.proxy import Alternative, far_side, patchbay, portkey

READERS, STREAMS = 16, 10
BODY = b'{"model":"gpt-6-luna","input":"hello there","stream":true}'
SENT = re.compile(rb'"sent":(\d+)')


async def read(alternative: Alternative) -> tuple[list[float], list[float]]:
    """Milliseconds from asking to the first event, and from the sending of each later event to having it."""
    host, _, path = alternative.url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    headers = {
        "host": host,
        "content-type": "application/json",
        "content-length": str(len(BODY)),
        **alternative.headers,
    }
    head = f"POST /{path} HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in headers.items()) + "\r\n"
    reader, writer = await asyncio.open_connection(name, int(port))
    first, later = list[float](), list[float]()
    for _ in range(STREAMS):
        asked, seen, said = time.monotonic_ns(), 0, b""
        writer.write(head.encode() + BODY)
        while b"\r\n0\r\n\r\n" not in said:
            said += await reader.read(65536)
            if not said.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(said.split(b"\r\n")[0].decode())
            now = time.monotonic_ns()
            moments = [int(found) for found in SENT.findall(said)]
            if moments and not seen:
                first.append((now - asked) / 1e6)
            later += [(now - sent) / 1e6 for sent in moments[max(seen, 1) :]]
            seen = len(moments)
        assert seen == EVENTS, json.dumps(said[-300:].decode())
    writer.close()
    return first, later


async def crowd(alternative: Alternative) -> tuple[list[float], list[float]]:
    found = await asyncio.gather(*[read(alternative) for _ in range(READERS)])
    return [one for first, _ in found for one in first], [one for _, later in found for one in later]


def main() -> None:
    with ExitStack() as stack:
        far = stack.enter_context(far_side(0.0))
        alternatives = [Alternative("direct", f"{far}/v1/responses"), stack.enter_context(patchbay(far))]
        if folder := os.environ.get("PORTKEY"):
            alternatives.append(stack.enter_context(portkey(far, folder)))
        print(f"{READERS} readers at once, {STREAMS} streams of {EVENTS} events each")
        for alternative in alternatives:
            try:
                asyncio.run(crowd(alternative))  # once to warm up
                first, later = asyncio.run(crowd(alternative))
            except RuntimeError as refusal:
                print(f"  {alternative.name:10} does not stream this: {refusal}")
                continue
            print(
                f"  {alternative.name:10} first event {median(first):7.2f} ms ({quantiles(first, n=20)[-1]:7.2f} of 95 %)"
                f"   later events {median(later):6.2f} ms ({quantiles(later, n=20)[-1]:6.2f} of 95 %)"
            )


if __name__ == "__main__":
    main()
