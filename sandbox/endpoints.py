"""Registered webhook endpoints and their secrets: the one thing that outlives a restart."""

import json
import os
import secrets
import time
from base64 import b64encode
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sandbox.errors import Json
from sandbox.shelf import Shelf

OVERLAP_SECONDS = 24 * 3600
MOST_ENDPOINTS = 1000


def new_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


@dataclass
class Endpoint:
    """Where events of `project` go. `old_secrets` sign as well, each until its time (seconds since the epoch)."""

    project: str
    name: str
    url: str
    event_types: list[str]
    id: str = field(default_factory=lambda: "we_" + secrets.token_hex(16))
    secret: str = field(default_factory=new_secret, repr=False)
    old_secrets: list[tuple[str, float]] = field(default_factory=list, repr=False)
    created_at: int = field(default_factory=lambda: int(time.time()))
    updated_at: int = field(default_factory=lambda: int(time.time()))

    def as_json(self, with_secret: bool = False) -> Json:
        shown: Json = {
            "id": self.id,
            "object": "webhook_endpoint",
            "name": self.name,
            "url": self.url,
            "event_types": self.event_types,
            "signing_secret_hint": f"whsec_…{self.secret[-4:]}",
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }
        return shown | ({"signing_secret": self.secret} if with_secret else {})

    def change(self, changes: dict[str, Any]) -> None:
        """Set name, url and event types; the time of the update moves only where something differs."""
        for name, value in changes.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
                self.updated_at = int(time.time())

    def rotate(self, keep_old: bool) -> None:
        kept = [(self.secret, time.time() + OVERLAP_SECONDS)] if keep_old else []
        self.old_secrets = kept + (self.old_secrets if keep_old else [])
        self.secret = new_secret()
        self.updated_at = int(time.time())

    def signing_secrets(self) -> list[str]:
        now = time.time()
        return [self.secret, *(secret for secret, until in self.old_secrets if until > now)]


class Endpoints(Shelf[Endpoint]):
    """The endpoints, written to `file` (mode 0600) at each change where one is given."""

    def __init__(self, file: Path | None = None) -> None:
        super().__init__("Webhook endpoint", MOST_ENDPOINTS)
        self.file = file
        for row in _read(file):
            self.put(Endpoint(**row))

    def save(self) -> None:
        if self.file is None:
            return
        rows = [asdict(endpoint) for endpoint in self.items.values()]
        written = self.file.with_name(self.file.name + ".new")
        written.unlink(missing_ok=True)
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump({"webhook_endpoints": rows}, stream)
        written.replace(self.file)


def _read(file: Path | None) -> list[Json]:
    if file is None or not file.exists():
        return []
    rows = json.loads(file.read_text())["webhook_endpoints"]
    return [row | {"old_secrets": [tuple(pair) for pair in row["old_secrets"]]} for row in rows]
