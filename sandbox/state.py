"""Everything the sandbox remembers, all of it bounded."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from sandbox.deliveries import Deliveries
from sandbox.endpoints import Endpoints
from sandbox.errors import Json
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.limits import Window
from sandbox.settings import Settings
from sandbox.shelf import Shelf
from sandbox.tasks import Tasks

FILE_BYTES = 256 * 1024 * 1024
RESPONSE_BYTES = 256 * 1024 * 1024
ANSWER_BYTES = 8000
EVENT_BYTES = 1500
MOST_WINDOWS = 1000


@dataclass
class StoredResponse:
    """A response and what led to it: `size` bytes of request. `events` are those of its stream, if it has one.

    `ended` is set with its final state, which is announced by `copies` of a webhook.
    """

    project: str
    body: Json
    input_items: list[Json]
    size: int
    events: list[Json] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    copies: int = 1

    @property
    def id(self) -> str:
        return str(self.body["id"])


@dataclass
class StoredFile:
    project: str
    body: Json
    content: bytes

    @property
    def id(self) -> str:
        return str(self.body["id"])


@dataclass
class StoredBatch:
    project: str
    body: Json

    @property
    def id(self) -> str:
        return str(self.body["id"])


@dataclass
class StoredVectors:
    """A vector store: its `files` by id, each as OpenAI shows a file of a store."""

    project: str
    body: Json
    files: dict[str, Json] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.body["id"])


@dataclass
class StoredProject:
    """A project of an organization, which stands in the place of `project` on the shelf."""

    project: str
    body: Json

    @property
    def id(self) -> str:
        return str(self.body["id"])


def _size(stored: StoredResponse) -> int:
    """Roughly what a response takes in memory."""
    return ANSWER_BYTES + 4 * stored.size + EVENT_BYTES * len(stored.events)


class State:
    def __init__(self, settings: Settings, file: Path | None = None) -> None:
        self.settings = settings
        self.journal = Journal()
        self.faults = Faults()
        self.windows: dict[str, Window] = {}
        self.responses: Shelf[StoredResponse] = Shelf("Response", RESPONSE_BYTES, _size)
        self.files: Shelf[StoredFile] = Shelf("File", FILE_BYTES, lambda kept: len(kept.content) + 1000)
        self.batches: Shelf[StoredBatch] = Shelf("Batch", 1000)
        self.vector_stores: Shelf[StoredVectors] = Shelf("Vector store", 1000)
        self.projects: Shelf[StoredProject] = Shelf("Project", 1000)
        self.tasks = Tasks()
        self.endpoints = Endpoints(file)
        self.deliveries = Deliveries(settings, self.endpoints, self.tasks)

    def window(self, project: str) -> Window:
        if project not in self.windows and len(self.windows) >= MOST_WINDOWS:
            self.windows.pop(next(iter(self.windows)))
        return self.windows.setdefault(project, Window(self.settings))

    async def stop(self) -> None:
        await self.tasks.stop()
        await self.deliveries.close()

    def reset(self) -> None:
        """As after a fresh start, settings included and webhook endpoints gone."""
        self.tasks.cancel()
        self.settings.update(Settings().as_json())
        self.journal.clear()
        self.faults.waiting.clear()
        self.windows.clear()
        self.responses.clear()
        self.files.clear()
        self.batches.clear()
        self.vector_stores.clear()
        self.projects.clear()
        self.deliveries.sent.clear()
        self.endpoints.clear()
        self.endpoints.save()


STATE = web.AppKey("state", State)
