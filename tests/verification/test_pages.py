"""The verification page: one button, every check with its sentence, live until the end."""

from __future__ import annotations

import pytest

from tests.builders import installation
from verification import actions
from verification.models import CheckResult, Verification

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def queued(monkeypatch):
    ids = []
    monkeypatch.setattr(actions, "run_verification", type("Line", (), {"enqueue": staticmethod(ids.append)}))
    return ids


def test_an_operator_starts_all_checks_once(as_operator, queued):
    here = installation()
    address = f"/installations/{here.pk}/verification/"
    assert b"Not verified yet" in as_operator.get(address).content
    for _ in range(2):
        assert as_operator.post(f"{address}start/").status_code == 302
    verification = Verification.objects.get()
    assert (queued, verification.results.count()) == ([verification.pk], 10)
    assert b"Waiting" in as_operator.get(address).content


def test_the_page_is_live_until_the_end_and_shows_the_remedy(as_viewer):
    here = installation()
    verification = Verification.objects.create(installation=here, state="running")
    CheckResult.objects.create(
        verification=verification, slug="model", title="Model", state="failed", sentence="OpenAI <b>refused</b>.",
        remedy="Use another model.", help_code="PB-1001", evidence=[{"label": "Log entry", "url": "/log/"}],
    )  # fmt: skip
    address, live = f"/installations/{here.pk}/verification/", {"HTTP_HX_REQUEST": "true"}
    assert as_viewer.get(address, **live).status_code == 200
    Verification.objects.update(state="failed")
    page = as_viewer.get(address, **live)
    assert page.status_code == 286
    assert b"Use another model." in page.content and b"&lt;b&gt;refused" in page.content


def test_one_check_alone_is_run_again(as_operator, as_viewer):
    here = installation()
    address = f"/installations/{here.pk}/verification/start/"
    assert as_viewer.post(address).status_code == 403
    as_operator.post(address, {"check": ["model", "no such check"]})
    assert list(CheckResult.objects.values_list("slug", flat=True)) == ["model"]


def test_all_installations_are_listed(as_viewer):
    installation()
    page = as_viewer.get("/verification/")
    assert b"OpenAI - Test" in page.content and b"Not verified yet" in page.content
