"""The same with the sandbox at the far end: a stream that breaks, and the response that it was making."""

from __future__ import annotations

import pytest

from connections.clients import client_for
from logs.models import Call
from openai_api import errors
from outcomes import tasks
from outcomes.models import Settlement
from tests import builders
from tests.conftest import Sandbox, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_stream_that_broke_is_found_finished(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    row = builders.connection(base_url=sandbox.url, api_key="sk-sandbox")
    client = client_for(builders.installation(connection=row))
    sandbox.fault(kind="broken_stream", events=3)
    asked = {"model": "gpt-6-luna", "input": "Hello", "stream": True, "background": True, "store": True}
    with (
        pytest.raises(errors.CallError),
        client.stream("create_response", json=asked, context=builders.context()) as chunks,
    ):
        list(chunks)
    lost = Call.objects.get()
    assert lost.state == "unknown" and lost.object_id.startswith("resp_")
    wait_until(lambda: decided(lost) == "done")
    assert lost.object_id in Settlement.objects.get().note


def decided(call: Call) -> str:
    tasks.reconcile.func(str(call.pk))
    return Settlement.objects.get_or_create(call_id=call.pk)[0].decision
