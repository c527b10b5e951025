"""The mappings that come with an installation, and how they are found."""

import pytest
from django.urls import reverse

from flows.samples import SAMPLES
from mappings.apply import RecordView, to_record, to_request
from mappings.defaults import CUSTOM_FIELDS, DEFAULTS, create_defaults
from mappings.gallery import TASKS, offered
from mappings.models import Mapping
from mappings.preview import preview
from mappings.samples import document_for, record
from sandbox.response_body import begin, check_body, complete
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
        applied = preview(mapping.spec(), document_for(mapping.spec()))
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


@pytest.fixture
def everything():
    """An installation that began with every task."""
    installation = builders.installation(tasks=[slug for slug, *_ in offered()])
    create_defaults(installation)
    return installation


def records_of(entity):
    """Every sample record of an entity: ours for the preview, and those that a new installation finds in the hub."""
    yield RecordView(**{name: record(entity)[name] for name in ("key", "fields", "custom", "entity")})
    for row in SAMPLES.get(entity, []):
        yield RecordView(row["id"], {name: value for name, value in row.items() if name != "id"}, {}, entity)


def asking(installation):
    return list(installation.mappings.filter(direction="from_hub").order_by("order"))


def test_every_default_gets_a_fitting_answer_of_the_sandbox_for_every_sample_record(everything):
    assert len(asking(everything)) == 3 + len(TASKS)
    for mapping in asking(everything):
        answered = 0
        for view in records_of(mapping.entity):
            applied = to_request(mapping.spec(), view)
            if applied.skipped:
                continue
            assert applied.ok, (mapping.name, view.key, applied.problems)
            check_body(applied.body)  # raises what OpenAI would refuse
            response = complete(begin(applied.body), applied.body)
            text = response["output"][0]["content"][0]["text"]
            source = {"response": response, "text": text, "request": applied.body, "event": None}
            for taker in Mapping.objects.for_answer(everything, mapping.entity, mapping.operation, mapping.task):
                taken = to_record(taker.spec(), source, view)
                assert taken.ok and len(taken.changes) > 2, (taker.name, view.key, taken.problems)
                answered += 1
        assert answered, mapping.name


def test_a_task_asks_for_what_its_other_half_reads_and_for_nothing_of_other_tasks(everything):
    for task in TASKS:
        mapping = everything.mappings.get(name=f"{task.name} to Create response")
        schema = mapping.spec().schema
        names = {rule.source.split(".")[1] for rule in task.takes}
        assert set(schema["properties"]) == set(schema["required"]) == names
        parts = to_request(mapping.spec(), next(records_of(task.entity))).body
        assert parts["instructions"] and parts["input"] and parts["instructions"] not in str(parts["input"])
    assert everything.mappings.get(name="Product to Create response").spec().schema is None


def test_a_protected_field_of_a_task_is_not_sent(everything):
    spec = everything.mappings.get(name="Customer summary to Create response").spec()
    body = to_request(spec, next(records_of("Customer"))).body
    assert "mara@lindqvist.example" not in body["input"] and "[EMAIL_1]" in body["input"]


def test_the_gallery_adds_what_is_missing(as_administrator, as_operator):
    installation = builders.installation()
    address = reverse("mappings:gallery")
    assert as_operator.get(address).status_code == 403
    form = {"installation": installation.pk}
    assert "No task is chosen" in as_administrator.post(address, form).content.decode()
    for _ in range(2):
        as_administrator.post(address, form | {"category": "on", "alt_text": "on"})
    assert sorted(installation.mappings.values_list("task", flat=True)) == [
        *["Alt text from image"] * 2,
        *["Product category"] * 2,
    ]
    rule = installation.mappings.get(name="Create response to Product category").rules.get(kind="lookup")
    assert rule.spec().lookup["furniture"] == "Furniture"
