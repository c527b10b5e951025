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
    assert (queued, verification.results.count()) == ([verification.pk], 11)
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


def test_who_comes_second_is_told_that_it_runs_already(as_operator, queued):
    address = f"/installations/{installation().pk}/verification/start/"
    as_operator.post(address)
    page = as_operator.post(address, follow=True).content.decode()
    assert "by omar is still under way" in page
    assert len(queued) == 1


def verified(here, *ends, state="passed"):
    """A verification that has ended; `ends` are (slug, state, sentence)."""
    verification = Verification.objects.create(installation=here, state=state, actor="omar")
    for slug, end, sentence in ends:
        CheckResult.objects.create(verification=verification, slug=slug, title=slug, state=end, sentence=sentence)
    return verification


def test_one_check_run_again_leaves_the_others_as_they_were_and_says_so(as_viewer):
    here = installation()
    verified(here, ("model", "failed", "No."), ("throttle", "passed", "It held."), state="failed")
    verified(here, ("model", "passed", "It answered."))
    page = as_viewer.get(f"/installations/{here.pk}/verification/").content.decode()
    assert "2 of 2" in page
    assert "It answered." in page and "No." not in page
    assert page.count("From an earlier verification") == 1


def test_the_newest_result_of_each_check_is_shown_however_often_another_was_run_again(as_viewer):
    here = installation()
    verified(here, ("throttle", "passed", "It held."))
    for _ in range(12):
        verified(here, ("model", "passed", "It answered."))
    assert "It held." in as_viewer.get(f"/installations/{here.pk}/verification/").content.decode()


def test_the_history_leads_to_each_verification_as_it_was(as_viewer):
    here = installation()
    old = verified(here, ("model", "failed", "The old reason."), ("webhook", "skipped", "No secret."), state="failed")
    verified(here, ("model", "passed", "It answered."))
    page = as_viewer.get(f"/installations/{here.pk}/verification/").content.decode()
    assert f'href="/verification/{old.pk}/"' in page
    assert "0 of 2 passed, 1 failed, 1 skipped" in page
    report = as_viewer.get(f"/verification/{old.pk}/").content.decode()
    assert "The old reason." in report and "It answered." not in report
    assert "data-print" in report and "/start/" not in report
    assert as_viewer.get("/verification/999/").status_code == 404


def test_checks_stand_in_their_groups_and_the_counts_beside_them(as_viewer):
    here = installation()
    verified(here, ("model", "passed", "Yes."), ("sample-pull", "failed", "No."), ("logging", "skipped", "Not now."))
    page = as_viewer.get(f"/installations/{here.pk}/verification/").content.decode()
    for words in ("Connection and limits", "1 of 1 passed", "Data sync test", "0 of 1 passed", "Features"):
        assert words in page
    for bar in ("p-ok", "p-fail", "p-skip"):
        assert f'class="{bar}"' in page


def test_a_viewer_sees_no_button_that_runs_a_check(as_viewer):
    here = installation()
    for end in ("passed", "failed", "skipped"):
        verified(here, ("model", end, "So."))
        assert "/start/" not in as_viewer.get(f"/installations/{here.pk}/verification/").content.decode()


def test_the_menu_marks_verification_on_the_page_of_an_installation(as_viewer):
    page = as_viewer.get(f"/installations/{installation().pk}/verification/").content.decode()
    assert page.count('aria-current="page">') == 2  # the menu's entry, and the last crumb
    assert 'href="/verification/" aria-current="page"' in page
