"""Preview, "run once" and runs send the same: one function applies a mapping."""

import json

import httpx
import pytest
from django.urls import reverse

from flows.items import request_of
from flows.records import save_record
from logs.audit import Actor
from logs.models import Call
from mappings import defaults
from mappings.actions import recorded
from mappings.choices import FROM_HUB
from mappings.models import Mapping
from mappings.once import run_once
from mappings.preview import preview, view_of
from mappings.samples import document
from tests import builders
from tests.flows.builders import response

pytestmark = pytest.mark.django_db(transaction=True)
ADA = Actor("ada")


@pytest.fixture
def installation():
    installation = builders.installation()
    defaults.create_defaults(installation)
    return installation


@pytest.fixture
def sent(far_side):
    """What OpenAI was asked, and it answers each."""
    bodies = []

    def openai(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200, json=response(1, "A fine thing."))

    far_side(openai)
    return bodies


class Session:
    """What `request_of` asks of a session of a run without a preset."""

    preset = None


def test_every_default_sends_what_its_preview_shows_once_and_in_a_run(installation, sent):
    out = installation.mappings.filter(direction=FROM_HUB)
    assert out.count() >= 3
    for mapping in out:
        spec, sample = mapping.spec(), document(mapping.entity, mapping.direction, mapping.operation)
        shown = preview(spec, sample)
        once = run_once(mapping, spec, sample, ADA)
        assert sent.pop() == shown.body == request_of(Session(), spec, view_of(sample)).body, mapping.name
        assert once.text == "A fine thing."
        call = Call.objects.get(pk=once.call_id)
        assert (call.cause, call.tags) == ("preview", recorded(mapping).tag)
        ((back, applied),) = once.back
        assert applied.changes["custom.OpenAI Response Text"] == "A fine thing.", back.name


def test_running_once_writes_nothing_and_names_its_call(installation, sent, as_operator):
    record, _ = save_record(ADA, "Product", "A-1", {"name": "Oak desk"})
    mapping = Mapping.objects.for_push(installation, "Product").get()
    page = as_operator.post(reverse("mappings:once", args=[mapping.pk]), {"record": "A-1"}).content.decode()
    assert "A fine thing." in page
    assert reverse("logs:detail", args=[Call.objects.get().pk]) in page
    assert "Oak desk" in sent[0]["input"]
    record.refresh_from_db()
    assert record.custom == {}


def test_what_the_preview_refuses_is_not_sent(installation, sent, as_operator):
    mapping = Mapping.objects.for_push(installation, "Product").get()
    draft = {"rule": "new", "kind": "formula", "target": "instructions", "source": "$nope(1)"}
    page = as_operator.post(reverse("mappings:once", args=[mapping.pk]), draft).content.decode()
    assert "Nothing was sent" in page
    assert sent == []


def test_a_rule_in_hand_is_sent_though_it_is_not_saved(installation, sent, as_operator):
    mapping = Mapping.objects.for_push(installation, "Product").get()
    draft = {"rule": "new", "kind": "static", "target": "instructions", "source": "Be brief.", "sample": "{}"}
    as_operator.post(reverse("mappings:once", args=[mapping.pk]), draft | {"sample": '{"key": "Z", "fields": {}}'})
    assert sent[0]["instructions"] == "Be brief."
    assert sent[0]["metadata"] == {"patchbay_key": "Z"}
    assert not mapping.rules.filter(target="instructions").exists()
    assert Call.objects.get().tags == "", "no version made it"


def test_a_refusal_of_openai_is_shown_with_its_call(installation, far_side, as_operator):
    far_side(lambda request: httpx.Response(401, json={"error": {"message": "no"}}))
    mapping = Mapping.objects.for_push(installation, "Product").get()
    page = as_operator.post(reverse("mappings:once", args=[mapping.pk])).content.decode()
    assert "OpenAI answered 401" in page
    assert reverse("logs:detail", args=[Call.objects.get().pk]) in page
