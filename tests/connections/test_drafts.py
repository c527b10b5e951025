"""The guided form's draft: what a save while typing may change."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

pytestmark = pytest.mark.django_db(transaction=True)
NEW = {"connection": "new", "new-kind": "other", "new-name": "Gateway", "new-base_url": "https://api.openai.test/v1"}


@pytest.fixture
def form(as_administrator: Browser) -> str:
    return str(as_administrator.post("/installations/new/").headers["Location"]).replace("/name/", "/connection/")


def test_a_save_while_typing_keeps_what_stands_there_but_no_key(as_administrator, form):
    typed = NEW | {"new-base_url": "https://ada:hunter2@gateway.test", "new-name": "sk-canary-0123456789"}
    as_administrator.post(f"{form}keep/", typed | {"new-api_key": "sk-canary-0123456789"})
    page = as_administrator.get(form).content.decode()
    assert "hunter2" not in page and "canary" not in page and "redacted: key" in page
