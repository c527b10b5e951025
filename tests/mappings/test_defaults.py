"""The mappings that come with an installation, and how they are found."""

import pytest

from mappings.apply import RecordView, to_record, to_request
from mappings.defaults import CUSTOM_FIELDS, DEFAULTS, create_defaults
from mappings.models import Mapping
from mappings.preview import preview
from mappings.samples import document, record
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation():
    installation = builders.installation()
    create_defaults(installation, "the webhook URL is not needed")
    return installation


def test_they_come_once(installation):
    create_defaults(installation)
    assert installation.mappings.count() == len(DEFAULTS)


def test_they_stay_away_when_not_wanted():
    installation = builders.installation(default_mappings=False)
    create_defaults(installation)
    assert not installation.mappings.exists()


def test_each_works_on_its_sample(installation):
    for mapping in installation.mappings.all():
        applied = preview(mapping.spec(), document(mapping.entity, mapping.direction, mapping.operation))
        assert applied.ok, (mapping.name, applied.problems)


@pytest.mark.parametrize("entity", ["Product", "Customer"])
def test_a_record_becomes_a_request_and_its_answer_custom_fields(installation, entity):
    sample = record(entity)
    view = RecordView(sample["key"], sample["fields"], {}, entity)
    request = to_request(Mapping.objects.for_push(installation, entity).get().spec(), view).body
    assert request["model"] == installation.model
    assert request["metadata"] == {"patchbay_key": sample["key"]}
    assert request["store"] is True
    assert str(sample["fields"]["name"]) in request["input"]
    answer = {"response": {"id": "resp_1"}, "text": "Nice.", "event": None, "request": request}
    changes = to_record(
        Mapping.objects.for_answer(installation, entity, "create_response").get().spec(), answer, view
    ).changes
    assert set(changes) == {f"custom.{name}" for name in CUSTOM_FIELDS}


def test_the_prompt_lists_every_field_that_holds_something(installation):
    view = RecordView(
        "k",
        {
            "materials": ["oak", "steel"],
            "price": 12.5,
            "in stock": True,
            "note": "line",
            "empty": "",
            "none": None,
            "list": [],
        },
        {},
        "Product",
    )
    text = to_request(Mapping.objects.for_push(installation, "Product").get().spec(), view).body["input"]
    assert text.endswith("id: k\nmaterials: oak, steel\nprice: 12.5\nin stock: true\nnote: line")


def test_an_event_becomes_a_message(installation):
    event = {"id": "evt_1", "type": "batch.completed", "data": {"id": "batch_1"}}
    mapping = Mapping.objects.for_event(installation).get()
    source = {"response": None, "text": "", "event": event, "request": None, "now": "2026-11-21T09:30:00.000Z"}
    fields = to_record(mapping.spec(), source).body["fields"]
    assert fields == {"type": "batch.completed", "object id": "batch_1", "received date": "2026-11-21T09:30:00.000Z"}
