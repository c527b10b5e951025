"""Protected fields on their way through a run: what OpenAI gets, what the log keeps, what comes back."""

import json

import httpx
import pytest
from django.utils import timezone

from connections.models import Installation
from flows.engine import execute
from flows.models import Item
from flows.records import save_record
from flows.recovery import stored_answer
from logs.models import Attempt, AuditEntry, Body, Call
from mappings.models import Mapping
from tests.flows import builders

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL, TAX, NOTE = "mara.canary@lindqvist.example", "SE-99-CANARY", 'Likes "oak"\nand canaries'


@pytest.fixture
def mara():
    fields = {"name": "Mara Canary", "email": EMAIL, "notes": f"{NOTE} ({EMAIL})", "country": "XQ", "credit": 90417}
    return save_record(builders.OMAR, "Customer", "C-1", fields, {"tax": TAX}, cause="sample")[0]


@pytest.fixture
def sending(openai):
    """What a run of Mara's record asked for, when the far side says it all again."""

    def run(protection, record, background=False):
        def answer(request, number):
            asked = json.loads(request.content or b"{}").get("input", "")
            status = "completed" if request.method == "GET" or not background else "queued"
            said = asked or f"{EMAIL} {TAX} {NOTE} XQ"
            return httpx.Response(200, json=builders.response(number, f"Dear {said}", id="resp_1", status=status))

        openai.answer = answer
        installation = Installation.objects.first() or builders.ready_installation()
        mapping = Mapping.objects.get(installation=installation, name="Customer to Create response")
        Mapping.objects.filter(pk=mapping.pk).update(protection=protection)
        mapping.rules.filter(target="input").update(kind="formula", source='$lines(fields) & "\\n" & $lines(custom)')
        mode = "background" if background else "sync"
        pushed = builders.start_push(builders.OMAR, installation, "Customer", [record], mode=mode)
        execute(pushed.pk)
        return pushed.items.get()

    return run


def written() -> str:
    """Everything that the log holds."""
    rows = [*Call.objects.values(), *Attempt.objects.values(), *Body.objects.values(), *AuditEntry.objects.values()]
    return "\n".join(str(row) for row in rows)


def test_values_that_are_not_to_be_logged_are_sent_and_stand_nowhere_in_the_log(sending, mara, openai):
    hidden = ["fields.email", "custom.tax", "fields.notes", "fields.country", "fields.credit"]
    item = sending([[path, "never log"] for path in hidden], mara)
    assert item.state == "done", item.error
    (asked,) = openai.asked()
    assert EMAIL in asked["input"] and TAX in asked["input"] and NOTE in asked["input"] and "90417" in asked["input"]
    log = written()
    assert "Mara Canary" in log and "not to be logged" in log
    for value in (EMAIL, TAX, "Likes", "canaries", "XQ", "90417"):
        assert value not in log, value
    mara.refresh_from_db()
    assert EMAIL in mara.custom["OpenAI Response Text"]


def test_what_is_fetched_later_is_not_logged_either(sending, mara, openai):
    item = sending([["fields.email", "never log"], ["custom.tax", "never log"]], mara, background=True)
    assert item.state == "waiting"
    Item.objects.update(poll_at=timezone.now())
    execute(item.run_id)
    item.refresh_from_db()
    assert item.state == "done"
    assert EMAIL not in written() and TAX not in written()
    mara.refresh_from_db()
    assert EMAIL in mara.custom["OpenAI Response Text"]


def test_an_answer_of_which_something_was_left_out_is_not_taken_for_the_whole(sending, mara):
    item = sending([["fields.email", "never log"]], mara)
    assert stored_answer(Call.objects.get(pk=item.call_id)) is None
    Item.objects.all().delete()
    item = sending([], mara)
    assert stored_answer(Call.objects.get(pk=item.call_id)) is not None


def test_a_masked_value_does_not_leave_and_comes_back_where_that_was_asked(sending, mara, openai):
    item = sending(
        [["fields.email", "masked, put back"], ["fields.name", "masked"], ["custom.tax", "never send"]], mara
    )
    assert item.state == "done", item.error
    sent = openai.asked()[0]["input"]
    assert "email: [EMAIL_" in sent and EMAIL not in sent and "Mara Canary" not in sent and TAX not in sent
    mara.refresh_from_db()
    text = mara.custom["OpenAI Response Text"]
    assert EMAIL in text and "[NAME_" in text and "[EMAIL_" not in text
    assert EMAIL not in written()
