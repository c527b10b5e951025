"""Every live operation is sent once from its generated form and found to be as OpenAI describes it."""

from __future__ import annotations

import os
from datetime import date

import httpx
import pytest
import time_machine
from jsonschema import ValidationError

from openai_api.catalogue import OPERATIONS
from operations.choosing import is_grave
from operations.models import Answer
from tests import builders
from tests.conftest import ROOT
from tests.operations import contract
from tests.operations.contract import FACTS, FILE
from tests.operations.filling import filled

TODAY = date(2026, 11, 21)
TABLE = ROOT / "docs" / "operations.md"
LIVE = [row for row in OPERATIONS.values() if not row.ended(TODAY)]
HEAD = """# Operations

Every operation of the catalogue that was not shut down by 21 November 2026, sent once from its form with the least that it
asks for, and checked on the far side: by OpenAI's published document, or by the facts of its own library where the document
does not have the operation. Written by `tests/operations/test_sweep.py` (WRITE_TABLE=1 takes it anew).

| Operation | Request | Fields on the page | Sent as | Checked by | Result |
| --- | --- | --- | --- | --- | --- |
"""
pytestmark = pytest.mark.skipif(
    not (FILE.exists() and FACTS.exists()), reason="OpenAI's document is not beside the project."
)


class Checker:
    """The far side. `said` is what it found of the last request."""

    def __init__(self) -> None:
        self.said, self.kind, self.requests = "", "", 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        self.kind = request.headers.get("content-type", "").partition(";")[0] or "no body"
        request.read()
        try:
            self.said = f"{contract.check(request)} | valid"
        except (AssertionError, ValidationError) as wrong:
            self.said = f"- | {getattr(wrong, 'message', '') or wrong}"
        return httpx.Response(200, json={"object": "list", "data": []})


@pytest.mark.django_db(transaction=True)
def test_every_live_operation_is_sent_from_its_form_and_is_valid(as_administrator, far_side, settings, tmp_path):
    connection = builders.connection()
    connection.set_admin_key("sk-admin-canary-0123456789")
    connection.models_seen = [{"id": "gpt-6-luna", "shutdown": None}]
    connection.save()
    installation = builders.installation(connection=connection, throttle_limit=100_000)
    checker = Checker()
    far_side(checker)
    lines, wrong = [], []
    with time_machine.travel(TODAY, tick=True):
        for operation in sorted(LIVE, key=lambda row: (row.entity, row.path, row.method)):
            address = f"/operations/{installation.pk}/{operation.id}/"
            values, count = filled(as_administrator, address)
            sure = {"confirmed": "yes"} if is_grave(operation) else {}
            before = checker.requests
            answer = as_administrator.post(f"{address}run/", values | sure | {"do": "run"})
            if answer.context and "form" in answer.context:  # the page says what else it wants
                values, count = filled(as_administrator, address, tuple(answer.context["form"].problems))
                answer = as_administrator.post(f"{address}run/", values | sure | {"do": "run"})
            if checker.requests != before + 1:
                wrong.append((operation.id, answer.context["form"].problems if answer.context else answer.status_code))
                continue
            if not checker.said.endswith("| valid"):
                wrong.append((operation.id, checker.said))
            lines.append(
                f"| {operation.title} | `{operation.method} {operation.path}` | {count} | {checker.kind} | {checker.said} |"
            )
    assert not wrong, "\n".join(map(str, wrong))
    assert Answer.objects.count() == len(LIVE)
    table = HEAD + "\n".join(lines) + f"\n\n{len(lines)} operations, all valid.\n"
    if os.environ.get("WRITE_TABLE"):
        TABLE.write_text(table)
    assert TABLE.read_text() == table, "docs/operations.md is out of date: run this test with WRITE_TABLE=1."


def test_the_check_can_fail():
    def sent(method, path, **more):
        return httpx.Request(method, f"https://api.openai.test/v1{path}", **more)

    assert contract.check(sent("POST", "/embeddings", json={"model": "m", "input": "oak"})) == "document"
    assert contract.check(sent("GET", "/agents?limit=1")) == "library"
    for bad in (
        sent("POST", "/embeddings", json={"model": "m"}),
        sent("POST", "/embeddings"),
        sent("GET", "/files?colour=green"),
        sent("GET", "/files?limit=many"),
        sent("POST", "/files", files={"file": ("a", b"x")}),
        sent("POST", "/vaults", json={"colour": "green"}),
        sent("GET", "/nowhere"),
    ):
        with pytest.raises((AssertionError, ValidationError, ValueError)):
            contract.check(bad)
