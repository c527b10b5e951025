"""The inbox and one event, as people see them."""

from __future__ import annotations

import pytest

from tests.builders import installation
from tests.webhooks.test_processing import event_of
from webhooks import actions
from webhooks.models import Event, Refusal

pytestmark = pytest.mark.django_db


def test_the_inbox_shows_events_and_refusals(as_viewer):
    here = installation()
    event_of(here, object_id="<script>")
    Refusal.objects.count_one("signature_wrong", here.pk, here.name, "203.0.113.7")
    page = as_viewer.get("/webhooks/", {"state": "received", "q": "wh_1"})
    assert page.status_code == 200
    assert b"response.completed" in page.content and b"Signature does not fit" in page.content
    assert b"No event fits" in as_viewer.get("/webhooks/", {"q": "nothing of the kind"}).content
    assert as_viewer.get("/webhooks/", {"state": "x", "installation": "y", "cursor": "z"}).status_code == 200


def test_an_event_asks_for_itself_until_it_is_processed(as_viewer):
    event = event_of(installation())
    live = {"HTTP_HX_REQUEST": "true"}
    assert as_viewer.get(f"/webhooks/{event.pk}/").status_code == 200
    assert as_viewer.get(f"/webhooks/{event.pk}/", **live).status_code == 200
    Event.objects.update(state="done")
    assert as_viewer.get(f"/webhooks/{event.pk}/", **live).status_code == 286


def test_the_first_event_is_waited_for(as_viewer):
    here, live = installation(), {"HTTP_HX_REQUEST": "true"}
    address = f"/webhooks/first/{here.pk}/"
    assert b"Waiting for the first event" in as_viewer.get(address, **live).content
    event_of(here)
    assert as_viewer.get(address, **live).status_code == 286


def test_an_operator_replays_and_a_viewer_may_not(as_operator, as_viewer, monkeypatch):
    again = []
    monkeypatch.setattr(actions, "process", type("Line", (), {"enqueue": staticmethod(again.append)}))
    event = event_of(installation(), state="failed")
    assert as_viewer.post(f"/webhooks/{event.pk}/replay/").status_code == 403
    assert as_operator.post(f"/webhooks/{event.pk}/replay/").status_code == 302
    event.refresh_from_db()
    assert (event.state, again) == ("received", [event.pk])


def test_each_installation_shows_where_its_events_go_and_an_administrator_the_steps(as_viewer, as_administrator):
    here = installation(signing_secret="")
    steps = f'href="/installations/{here.pk}/ready/"'
    for browser, shown in ((as_viewer, False), (as_administrator, True)):
        page = browser.get("/webhooks/").content.decode()
        assert f"/hookapi/v2/dynamic/OpenAI/Product?pbw_••••{here.webhook_key_last4}" in page
        assert "Signing secret not set" in page
        assert (steps in page) is shown
