"""One request as the handlers see it, once the door has let it in."""

import time
from dataclasses import dataclass, field

from aiohttp import web

from sandbox.errors import Json
from sandbox.faults import Fault
from sandbox.state import STATE, State


@dataclass
class Call:
    request_id: str
    project: str = "proj_sandbox"
    organization: str = "org-sandbox"
    body: Json = field(default_factory=dict)
    """The JSON body; empty for requests without one."""
    size: int = 0
    """Bytes of the body."""
    fault: Fault | None = None
    """A fault that the answer is to carry: of the stream or of the status."""
    limits: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    @property
    def model(self) -> str | None:
        model = self.body.get("model")
        return model if isinstance(model, str) else None

    def fails_with(self, *kinds: str) -> Fault | None:
        return self.fault if self.fault is not None and self.fault.kind in kinds else None


CALL = web.RequestKey("call", Call)


def call_of(request: web.Request) -> Call:
    return request[CALL]


def state_of(request: web.Request) -> State:
    return request.app[STATE]
