"""Background responses: the item waits, a webhook or a look finishes it, once."""

from __future__ import annotations

import httpx
import pytest
from django.utils import timezone

from flows.actions import finish_response
from flows.engine import execute
from flows.models import Item, Run
from logs.context import Context
from tests.flows.builders import push, response

pytestmark = pytest.mark.django_db(transaction=True)
EVENT = Context("event")


@pytest.fixture
def waiting(openai) -> Item:
    openai.answer = lambda request, number: httpx.Response(200, json=response(7, status="queued", output=[]))
    run = push(mode="background")
    execute(run.pk)
    assert openai.asked()[0]["background"] is True
    return run.items.get()


def test_an_item_waits_for_its_response(waiting):
    run = Run.objects.get()
    assert (waiting.state, waiting.response_id, run.state) == ("waiting", "resp_7", "waiting")


def test_the_webhook_finishes_it_once(waiting):
    installation = Run.objects.get().installation
    item = finish_response(installation, response(7, "Later."), EVENT)
    assert item is not None
    assert item.state == "done"
    assert Run.objects.get().state == "done"
    assert Item.objects.select_related("record").get().record.custom["OpenAI Response Text"] == "Later."
    assert finish_response(installation, response(7, "Twice."), EVENT) is None


def test_nothing_waits_for_a_foreign_response(waiting):
    assert finish_response(Run.objects.get().installation, response(8), EVENT) is None


def test_a_failed_response_fails_the_item(waiting):
    failed = response(7, status="failed", error={"code": "server_error", "message": "It broke."})
    item = finish_response(Run.objects.get().installation, failed, EVENT)
    assert item is not None
    assert (item.state, Run.objects.get().state) == ("failed", "failures")
    assert "It broke." in item.error


def test_a_look_finishes_what_no_webhook_came_for(waiting, openai):
    openai.answer = lambda request, number: httpx.Response(200, json=response(7, "Found."))
    Item.objects.update(poll_at=timezone.now())
    execute(waiting.run_id)
    assert (Item.objects.get().state, Run.objects.get().state) == ("done", "done")


def test_a_look_that_finds_nothing_yet_looks_again_later(waiting, openai):
    Item.objects.update(poll_at=timezone.now())
    execute(waiting.run_id)
    item = Item.objects.get()
    assert (item.state, item.polls) == ("waiting", 1)
    assert item.poll_at is not None
    assert item.poll_at > timezone.now()
