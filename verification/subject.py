"""What a check is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.urls import reverse

from connections.clients import client_for
from connections.models import Installation
from flows.models import Record, Run
from logs.audit import Actor
from logs.context import Context
from openai_api.client import Client
from openai_api.errors import CallError
from ui.help import ENTRIES
from verification.models import Verification

SAMPLE_ENTITY = "Product"


@dataclass(frozen=True)
class Subject:
    """The installation under test, and the verification that tests it."""

    installation: Installation
    verification: Verification

    @property
    def actor(self) -> Actor:
        return Actor(self.verification.actor or "verification")

    @property
    def client(self) -> Client:
        return client_for(self.installation)

    def context(self, slug: str) -> Context:
        run = self.verification
        return Context("check", str(run.pk), slug, self.actor.name, run.correlation_id)

    @property
    def log_url(self) -> str:
        """The integration log, with the calls of this verification only."""
        return self.verification.log_url

    def sample(self) -> Record | None:
        return Record.objects.filter(entity__name=SAMPLE_ENTITY, sample=True).order_by("key").first()


@dataclass(frozen=True)
class Outcome:
    """How a check ended. A failed one says in `remedy` what to do; `evidence` links to what it rests on."""

    state: str
    sentence: str
    remedy: str = ""
    help_code: str = ""
    evidence: list[dict[str, str]] = field(default_factory=list)
    calls: tuple[str, ...] = ()


def passed(sentence: str, **rest: Any) -> Outcome:
    return Outcome("passed", sentence, **rest)


def failed(sentence: str, remedy: str, **rest: Any) -> Outcome:
    return Outcome("failed", sentence, remedy, **rest)


def skipped(reason: str, remedy: str = "", **rest: Any) -> Outcome:
    return Outcome("skipped", reason, remedy, **rest)


def failed_call(error: CallError) -> Outcome:
    """A call that failed: its sentence says what happened, the remedy what to do about an error of this kind."""
    calls = call_ids([error.call_id])
    remedy = remedy_for(error.help_code, REMEDIES.get(error.slug, LOOK_AT_CALL))
    return failed(error.sentence, remedy, help_code=error.help_code, evidence=log_links(calls), calls=calls)


LOOK_AT_CALL = "Open the log entry: it holds what was sent and what OpenAI answered."
REMEDIES = {
    "server_error": "Nothing is wrong here. Wait some minutes and look at OpenAI's status page.",
    "bad_request": "Open the log entry and compare what was sent with what OpenAI says of it. The model may not take it.",
    "not_found": "See that the key belongs to the project in which the object was made.",
    "failed_inside": "OpenAI took the request and failed at it. Choose another model if it stays so.",
}


def remedy_for(help_code: str, otherwise: str) -> str:
    """What to do: as the help page of the code says it, or `otherwise`; then the check is to be run again."""
    todo = ENTRIES[help_code].todo if help_code in ENTRIES else otherwise
    return f"{todo} Then run this check again."


def call_ids(ids: Iterable[UUID | None]) -> tuple[str, ...]:
    return tuple(str(call) for call in ids if call)


def link(label: str, url: str) -> dict[str, str]:
    return {"label": label, "url": url}


def log_links(calls: Iterable[str]) -> list[dict[str, str]]:
    return [link("Log entry", reverse("logs:detail", args=[call])) for call in calls]


def run_link(run: Run) -> dict[str, str]:
    return link(f"Run {run.pk}", reverse("runs:detail", args=[run.pk]))


def record_link(record: Record) -> dict[str, str]:
    return link(f"Record {record.key}", reverse("records:detail", args=[record.pk]))
