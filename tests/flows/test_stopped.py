"""A run that meets a connection that is stopped ends with the reason, and is repeated once that was mended."""

from __future__ import annotations

import httpx
import pytest

from connections.actions import test_connection as try_connection
from connections.actions import test_context as try_context
from connections.clients import client_for
from flows.actions import retry_failed
from flows.engine import execute
from logs.audit import SYSTEM
from logs.models import Call
from openai_api import errors
from openai_api.retries import RetryPolicy
from tests import builders as plain
from tests.flows.builders import product, push, ready_installation, response

pytestmark = pytest.mark.django_db(transaction=True)
BAD_KEY = {"error": {"message": "Incorrect API key provided.", "type": "x", "param": None, "code": "invalid_api_key"}}
MODELS = {"object": "list", "data": [{"id": "gpt-6-luna", "object": "model"}]}


def test_it_fails_at_once_with_the_reason_and_can_be_repeated(far_side):
    far_side(lambda request: httpx.Response(401, json=BAD_KEY))
    installation = ready_installation()
    for _ in range(3):
        with pytest.raises(errors.BadKey):
            once = RetryPolicy(count=0)
            client_for(installation).call("create_response", json={}, context=plain.context(), retries=once)
    run = push([product(f"P-{number}") for number in range(20)], installation)
    execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.failed, run.help_code) == ("failures", 20, "PB-2008")
    assert all("failed 3 times in a row and is stopped" in item.error for item in run.items.all())
    refused = Call.objects.filter(state="rejected").count()
    assert 0 < refused <= installation.concurrent_connections, "The log is not filled with what can't be sent."

    far_side(lambda request: httpx.Response(200, json=MODELS if request.method == "GET" else response()))
    try_connection(installation.connection, try_context(installation.connection, SYSTEM))
    assert retry_failed(SYSTEM, run) == 20
    execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.done) == ("done", 20)
