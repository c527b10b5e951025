"""A far side that repeats the key that it was sent: in messages, headers, addresses and pages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

MODELS = {"object": "list", "data": [{"id": "gpt-6-luna", "object": "model", "created": 1, "owned_by": "openai"}]}


class Parrot(BaseHTTPRequestHandler):
    """Good keys list models and are repeated by every other endpoint; any other key is repeated at once."""

    good: frozenset[str] = frozenset()
    heard: set[str] = set()
    turn = 0

    def do_GET(self) -> None:  # noqa: N802 - the base class names it
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.heard.add(key)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if key in self.good and self.path == "/v1/models":
            self._say(200, json.dumps(MODELS), key="req_1")
        elif key in self.good:
            type(self).turn += 1
            self._say(*self._refusals(key)[self.turn % 4], key=key)
        else:
            self._say(401, self._error(f"Incorrect API key provided: {key}.", key), key=key)

    do_POST = do_GET  # noqa: N815

    def _refusals(self, key: str) -> list[tuple[int, str]]:
        return [
            (400, self._error(f"The key {key} may not do this.", key)),
            (500, self._error(f"See https://openai.test/keys?key={quote(key, safe='')}", None)),
            (502, f"<!DOCTYPE html><p>No gateway for {key}</p>"),
            (200, json.dumps({"id": "resp_1", "object": "response", "status": "failed", "error": {"message": key}})),
        ]

    @staticmethod
    def _error(message: str, code: str | None) -> str:
        return json.dumps({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}})

    def _say(self, status: int, text: str, key: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if text.startswith("<") else "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        for name in ("x-request-id", "x-ratelimit-reset-requests", "www-authenticate"):
            self.send_header(name, key)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def parrot(*good: str) -> Iterator[tuple[str, set[str]]]:
    """Its base URL, and the keys that it was sent."""
    handler = type("OneParrot", (Parrot,), {"good": frozenset(good), "heard": set()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1", handler.heard
        server.shutdown()
