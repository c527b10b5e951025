"""What follows when an installation or its key was made may fail; the installation stands, and the reason is told."""

from __future__ import annotations

from typing import Any

import pytest

from connections import actions
from connections.models import Installation
from logs.audit import SYSTEM
from openai_api.errors import BadKey
from tests import builders

pytestmark = pytest.mark.django_db


def refused(installation: Installation, url: str) -> None:
    raise BadKey("OpenAI answered 401: no such key.")


def broken(installation: Installation, url: str) -> None:
    raise ZeroDivisionError


def told(function: Any, settings: Any) -> str:
    settings.AFTER_NEW_WEBHOOK_KEY = [f"{__name__}.{function.__name__}"]
    (warning,) = actions.make_webhook_key(SYSTEM, builders.installation()).warnings
    return warning


def test_what_openai_refuses_is_a_sentence_and_no_traceback(settings: Any, caplog: Any) -> None:
    assert told(refused, settings).endswith("did not finish. OpenAI answered 401: no such key.")
    assert not caplog.records


def test_a_fault_of_ours_is_told_with_where_to_look(settings: Any, caplog: Any) -> None:
    assert "stands in the server's log (ZeroDivisionError)" in told(broken, settings)
    assert caplog.records[0].exc_info
