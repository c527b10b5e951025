"""A connection test against real listeners: what the page then says, from the socket up."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest

from connections import testing
from connections.actions import test_connection as run_test
from connections.actions import test_context as context_of
from connections.models import Connection
from logs.audit import SYSTEM
from logs.models import Call
from tests import builders
from tests.conftest import Sandbox, free_port
from tests.connections.builders import SCOPE_MODELS
from tests.connections.far_sides import as_json, error, listening, self_signed, slow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def loopback_allowed(settings: Any) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = (ipaddress.ip_network("127.0.0.0/8"),)


def test_of(url: str, **over: Any) -> Connection:
    row = builders.connection(base_url=url, **over)
    return run_test(row, context_of(row, SYSTEM))


test_of.__test__ = False  # type: ignore[attr-defined]  # a helper, by its name no test


def says(row: Connection) -> tuple[str, str]:
    assert builders.API_KEY not in row.status_text
    assert row.status == "failed"
    return row.status_code, row.status_text


SENTENCES = [
    (
        error(401, "Incorrect API key provided: sk-*****.", "invalid_api_key"),
        "PB-1001",
        "OpenAI answered 401: Incorrect API key provided: sk-*****. "
        "Check the API key for a typing error, or make a new one and replace it.",
    ),
    (
        error(401, "OpenAI-Organization header should match organization for API key", "mismatched_organization"),
        "PB-1003",
        "OpenAI answered 401: OpenAI-Organization header should match organization for API key. "
        "Correct or clear the organization id of the connection.",
    ),
    (
        error(401, "OpenAI-Project header should match project for API key", "mismatched_project"),
        "PB-1004",
        "OpenAI answered 401: OpenAI-Project header should match project for API key. "
        "Correct or clear the project id of the connection.",
    ),
    (
        error(403, "Country, region, or territory not supported", "unsupported_country_region_territory"),
        "PB-1001",
        "OpenAI answered 403: Country, region, or territory not supported. "
        "OpenAI does not accept calls from this server's address.",
    ),
    (
        error(404, "Invalid URL (GET /models)"),
        "PB-1009",
        "The server has no list of models at this address (404). The base URL may lack its version, such as /v1.",
    ),
    (
        as_json(404, {"detail": "Not Found"}),
        "PB-1009",
        "The server answered 404 with application/json, which is not how OpenAI answers. "
        "Check the base URL; a proxy or another program may stand there.",
    ),
    (
        (200, {"content-type": "text/html"}, b"<html>It works</html>"),
        "PB-1009",
        "The server answered 200 with text/html, which is not how OpenAI answers. "
        "Check the base URL; a proxy or another program may stand there.",
    ),
    (
        as_json(200, {"status": "healthy"}),
        "PB-1009",
        "The server answered, but not with a list of models as OpenAI does. "
        "The base URL may lack its version, such as /v1.",
    ),
    (
        (200, {"content-type": "application/json"}, b'{"object": "li'),
        "PB-1009",
        "The server answered 200 with text that is not the JSON it claims to be, which is not how OpenAI answers. "
        "Check the base URL; a proxy or another program may stand there.",
    ),
]


@pytest.mark.parametrize(("answer", "code", "sentence"), SENTENCES, ids=[row[2][:40] for row in SENTENCES])
def test_each_answer_gets_its_sentence_and_what_to_do(answer: Any, code: str, sentence: str) -> None:
    with listening(lambda method, path: answer) as far_side:
        assert says(test_of(far_side.url)) == (code, sentence)
    assert far_side.asked == [("GET", "/v1/models", f"Bearer {builders.API_KEY}")], (
        "it cannot succeed, so it is asked once"
    )


def test_nobody_listens() -> None:
    code, sentence = says(test_of(f"http://127.0.0.1:{free_port()}/v1"))
    assert code == "PB-1006"
    assert sentence == "127.0.0.1 refused the connection. Check the address and port, and that the server runs."


def test_there_is_no_such_host() -> None:
    code, sentence = says(test_of("https://nowhere.invalid/v1"))
    assert code == "PB-1005"
    assert sentence == "No such host: nowhere.invalid. Check the base URL of the connection for a typing error."


def test_a_certificate_that_nobody_vouches_for_gets_no_key(tmp_path: Path) -> None:
    with listening(lambda method, path: as_json(200, {}), self_signed(tmp_path)) as far_side:
        code, sentence = says(test_of(far_side.url))
    assert code == "PB-1007"
    assert sentence == (
        "No secure connection to 127.0.0.1: its certificate was not accepted. "
        "Check the address, this server's clock and its certificates."
    )
    assert far_side.asked == []


def test_a_server_that_does_not_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "TIMEOUT", 0.1)
    with listening(slow(0.5)) as far_side:
        code, sentence = says(test_of(far_side.url))
    assert code == "PB-1008"
    assert sentence == "No answer within 0.1 s. Nothing was changed by this request; try again."
    assert len(far_side.asked) == 2, "one more try, and no third: a person is waiting"


def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else() -> None:
    with listening(lambda method, path: as_json(200, {"object": "list", "data": []})) as elsewhere:
        away = {"location": f"{elsewhere.url}/models"}
        with listening(lambda method, path: (307, away, b"")) as far_side:
            code, sentence = says(test_of(far_side.url))
    assert code == "PB-1011"
    assert sentence == (
        "The address answered with a redirect (307), which is not followed, so that the key goes nowhere else. "
        "Enter the final address as base URL."
    )
    assert (len(far_side.asked), elsewhere.asked) == (1, [])


def test_an_address_that_is_private_is_not_dialled(settings: Any) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = ()
    with listening(lambda method, path: as_json(200, {})) as far_side:
        code, sentence = says(test_of(far_side.url.replace("127.0.0.1", "localhost")))
    assert (code, far_side.asked) == ("PB-1010", [])
    assert "The operator allows networks with ALLOW_PRIVATE_ADDRESSES." in sentence


def test_a_restricted_key_is_tried_with_the_cheapest_call_and_told_what_is_missing() -> None:
    refused = error(403, SCOPE_MODELS, "missing_scope")
    answers = {"GET": refused, "POST": error(400, "Missing required parameter: 'model'.")}
    with listening(lambda method, path: answers[method]) as far_side:
        row = test_of(far_side.url)
    assert [asked[:2] for asked in far_side.asked] == [("GET", "/v1/models"), ("POST", "/v1/responses")]
    assert (row.status, row.missing_permission) == ("limited", "api.model.read")
    assert row.status_text == (
        "The key may write responses, which mappings need, but not list models: api.model.read is missing. "
        "Type the model's name yourself or, to have a list to pick from, allow Models (read) for this key at OpenAI."
    )
    assert Call.objects.get(pk=row.test_call_id).operation == "create_response"


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("sk-sandbox", "ok", ""),
        ("sk-sandbox-wrong", "failed", "PB-1001"),
        ("sk-sandbox-no-models", "limited", "PB-1002"),
        ("sk-sandbox-broken", "failed", "PB-1009"),
    ],
)
def test_the_sandbox_plays_the_same_and_is_reached_wherever_it_runs(
    sandbox: Sandbox, settings: Any, key: str, status: str, code: str
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = ()
    row = test_of(sandbox.url, api_key=key)
    assert (row.status, row.status_code) == (status, code)
