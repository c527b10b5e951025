"""Every check has its ends: passed, failed with what to do, skipped with its reason. Each link to evidence opens."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from accounts.models import User
from flows.models import Flow, Record, Run
from flows.samples import load_samples
from mappings.models import Mapping, Rule
from openai_api.gate.rules import FAILURES
from tests.builders import connection
from tests.flows.builders import FarSide, ready_installation, response
from tests.people import signed_in, viewer_vera
from tests.webhooks.builders import SECRET
from verification.checks import CHECKS, throttle, webhook
from verification.models import CheckResult, Verification
from verification.runner import try_check
from verification.subject import Outcome, Subject
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)
KEY_REFUSED = {"error": {"message": "Incorrect API key provided.", "type": "x", "code": "invalid_api_key"}}
NO_MODEL = {"error": {"message": "The model does not exist.", "type": "x", "code": "model_not_found"}}


@pytest.fixture
def openai(far_side, settings) -> FarSide:
    """Lists two models, and answers every prompt at once. It could reach us, if it wanted to."""
    settings.PUBLIC_URL = "https://patchbay.example.com"
    far = FarSide()
    far.answer = answers
    far_side(far)
    return far


def answers(request: httpx.Request, number: int) -> httpx.Response:
    if request.url.path.endswith("/models"):
        rows = [{"id": name, "object": "model", "owned_by": "openai", "created": 1} for name in ("gpt-6-luna", "other")]
        return httpx.Response(200, json={"object": "list", "data": rows})
    return httpx.Response(200, json=response(number))


def refuses(status: int, body: dict) -> object:
    return lambda request, number: httpx.Response(status, json=body)


def unreachable(request: httpx.Request, number: int) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def subject_of(samples: bool = True, **over) -> Subject:
    here = ready_installation(**over)
    if samples:
        load_samples(here, "")
    return Subject(here, Verification.objects.create(installation=here, actor="omar", state="running"))


def end_of(slug: str, subject: Subject) -> Outcome:
    """Run one check; see that its evidence opens, and that it says what it must."""
    outcome = try_check(slug, subject)
    browser = signed_in(User.objects.filter(username="vera").first() or viewer_vera())
    for link in outcome.evidence:
        assert browser.get(link["url"]).status_code == 200, link
    assert outcome.sentence
    assert outcome.remedy or outcome.state == "passed"
    return outcome


def event_for(subject: Subject, object_id: str, state: str = "done", **over) -> Event:
    return Event.objects.create(
        installation_id=subject.installation.pk, installation_name="x", entity="Product", webhook_id="wh_1",
        event_type="response.completed", object_id=object_id, payload="{}", state=state, **over,
    )  # fmt: skip


@pytest.mark.parametrize(
    "slug", ["connection", "model", "sample-pull", "sample-push", "field-mappings", "workflow", "logging"]
)
def test_all_is_well(slug, openai):
    outcome = end_of(slug, subject_of())
    assert (outcome.state, outcome.remedy) == ("passed", "")
    assert outcome.evidence


@pytest.mark.parametrize(
    "slug", ["connection", "model", "sample-pull", "sample-push", "process", "workflow", "webhook"]
)
def test_a_refused_key_is_named_as_the_cause_and_said_to_be_replaced(slug, openai):
    openai.answer = refuses(401, KEY_REFUSED)
    outcome = end_of(slug, subject_of(signing_secret=SECRET))
    assert (outcome.state, outcome.help_code) == ("failed", "PB-1001")
    assert "Incorrect API key" in outcome.sentence
    assert "replace the key of the connection" in outcome.remedy
    assert any("/log/" in link["url"] for link in outcome.evidence)


def test_a_model_that_is_gone_is_named(openai):
    openai.answer = refuses(404, NO_MODEL)
    outcome = end_of("model", subject_of())
    assert (outcome.state, outcome.help_code) == ("failed", "PB-2005")
    assert "Choose another model" in outcome.remedy


def test_a_model_that_answers_without_a_word_has_failed(openai):
    openai.answer = lambda request, number: httpx.Response(200, json=response(text="", status="incomplete"))
    outcome = end_of("model", subject_of())
    assert outcome.state == "failed"
    assert "without a word (incomplete)" in outcome.sentence


def test_a_missing_model_is_skipped_and_not_passed(openai):
    assert end_of("model", subject_of(model="")).state == "skipped"
    assert openai.requests == []


@pytest.fixture
def small_window(monkeypatch):
    monkeypatch.setattr(throttle, "SECONDS", 0.4)
    monkeypatch.setattr(throttle, "CALLS", 4)
    monkeypatch.setattr(throttle, "LIMIT", 2)


def test_the_throttle_is_seen_to_hold(openai, small_window):
    outcome = end_of("throttle", subject_of())
    assert outcome.state == "passed"
    assert "500 in 60 s" in outcome.sentence
    assert len(openai.requests) == 4


def test_the_throttle_is_measured_by_refused_calls_too(openai, small_window):
    openai.answer = refuses(404, NO_MODEL)
    assert end_of("throttle", subject_of()).state == "passed"


def test_the_throttle_cannot_be_measured_while_the_connection_is_stopped(openai, small_window):
    openai.answer = refuses(401, KEY_REFUSED)
    subject = subject_of()
    for _ in range(FAILURES):
        end_of("model", subject)
    outcome = end_of("throttle", subject)
    assert outcome.state == "skipped"
    assert "check of the connection passes" in outcome.remedy


def test_a_throttle_that_does_not_hold_has_failed(openai, small_window, monkeypatch):
    true = throttle.Throttle
    monkeypatch.setattr(throttle, "Throttle", lambda *args, **more: replace(true(*args, **more), limit=100))
    outcome = end_of("throttle", subject_of())
    assert outcome.state == "failed"
    assert "did not hold" in outcome.remedy


def test_the_throttle_cannot_be_measured_where_nothing_is_sent(openai, small_window):
    openai.answer = unreachable
    outcome = end_of("throttle", subject_of())
    assert outcome.state == "skipped"
    assert "Too few calls" in outcome.sentence


def test_a_key_that_may_not_list_models_skips_the_pull(openai):
    subject = subject_of()
    subject.installation.connection.missing_permission = "api.model.read"
    assert end_of("sample-pull", subject).state == "skipped"
    assert openai.requests == []


@pytest.mark.parametrize("slug", ["sample-push", "process", "workflow", "field-mappings"])
def test_what_needs_a_mapping_is_skipped_without_one(slug, openai):
    subject = subject_of()
    Mapping.objects.update(active=False)
    outcome = end_of(slug, subject)
    assert outcome.state == "skipped"
    assert "no active mapping" in outcome.sentence
    assert openai.requests == []


@pytest.mark.parametrize("slug", ["sample-push", "process", "workflow"])
def test_what_needs_a_sample_record_is_skipped_without_one(slug, openai):
    outcome = end_of(slug, subject_of(samples=False))
    assert outcome.state == "skipped"
    assert "no sample Product" in outcome.sentence


def test_a_rule_that_cannot_work_is_named_with_its_mapping(openai):
    subject = subject_of()
    mapping = Mapping.objects.get(name="Product to Create response")
    Rule.objects.create(mapping=mapping, kind="field", target="metadata.x", source="fields.nowhere", required=True)
    outcome = end_of("field-mappings", subject)
    assert outcome.state == "failed"
    assert "Open Product to Create response" in outcome.remedy
    assert outcome.evidence[0]["url"] == f"/mappings/{mapping.pk}/"


def test_a_change_that_starts_no_flow_has_failed_and_leaves_no_flow_behind(openai, monkeypatch):
    monkeypatch.setattr("flows.starting.start_on_change", lambda actor, record, correlation_id, only_flow: [])
    outcome = end_of("workflow", subject_of())
    assert outcome.state == "failed"
    assert "no flow started" in outcome.sentence
    assert not Flow.objects.exists()


def test_the_flow_of_a_check_that_was_cut_off_is_removed(openai):
    subject = subject_of()
    mapping = Mapping.objects.for_push(subject.installation, "Product").get()
    Flow.objects.create(installation=subject.installation, mapping=mapping, trigger="on_change", sample_only=True)
    assert end_of("workflow", subject).state == "passed"
    assert not Flow.objects.exists()
    assert Run.objects.count() == 1


def test_the_round_trip_passes_with_its_event(openai):
    subject = subject_of(signing_secret=SECRET)
    event_for(subject, "resp_1")
    outcome = end_of("webhook", subject)
    assert outcome.state == "passed"
    assert outcome.evidence[0]["label"] == "Event"


def test_the_round_trip_fails_when_no_event_comes(openai, monkeypatch):
    monkeypatch.setattr(webhook, "SECONDS", 0.0)
    outcome = end_of("webhook", subject_of(signing_secret=SECRET))
    assert outcome.state == "failed"
    assert "subscribed to response.completed" in outcome.remedy


def test_the_round_trip_fails_when_its_event_could_not_be_processed(openai):
    subject = subject_of(signing_secret=SECRET)
    event_for(subject, "resp_1", state="failed", error="OpenAI answered 401.", help_code="PB-1001")
    outcome = end_of("webhook", subject)
    assert (outcome.state, outcome.help_code) == ("failed", "PB-1001")
    assert "was not processed" in outcome.sentence


def test_the_round_trip_is_skipped_where_no_event_can_come(openai, settings):
    assert "No signing secret" in end_of("webhook", subject_of()).sentence
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    far = connection(name="far", base_url="https://api.openai.com/v1")
    subject = subject_of(name="Far", webhook_key="k", signing_secret=SECRET, connection=far)
    outcome = end_of("webhook", subject)
    assert outcome.state == "skipped"
    assert "cannot reach this server" in outcome.sentence
    assert openai.requests == []


def test_a_business_process_says_whether_an_event_ended_it(openai):
    subject = subject_of()
    event_for(subject, "resp_1")
    outcome = end_of("process", subject)
    assert outcome.state == "passed"
    assert "response.completed finished it" in outcome.sentence
    assert Record.objects.get(key="PB-100").custom["OpenAI Response Text"] == "A fine thing."


def test_a_business_process_without_an_event_says_that_it_asked(openai):
    assert "No event of it came" in end_of("process", subject_of()).sentence


def test_a_log_that_lacks_a_call_has_failed(openai, monkeypatch):
    monkeypatch.setattr("verification.checks.logging.SECONDS", 0.0)
    subject = subject_of()
    gone = "0190a8d5-0000-7000-8000-000000000000"
    CheckResult.objects.create(verification=subject.verification, slug="model", title="Model", call_ids=[gone])
    outcome = end_of("logging", subject)
    assert outcome.state == "failed"
    assert "is not in the log" in outcome.sentence


def test_a_key_that_cannot_be_opened_is_said_and_not_a_fault_of_ours(openai, settings):
    subject = subject_of()
    settings.SEALING_KEYS = [b"another key of thirty-two bytes!"]
    outcome = try_check("model", subject)
    assert outcome.state == "failed"
    assert "SEALING_KEYS" in outcome.remedy


def test_each_check_says_what_it_tries_before_it_has_a_result():
    assert all(check.about.endswith(".") and check.group for check in CHECKS.values())


def test_the_installations_own_flow_is_what_the_workflow_check_watches(openai):
    subject = subject_of()
    mapping = Mapping.objects.for_push(subject.installation, "Product").get()
    own = Flow.objects.create(installation=subject.installation, mapping=mapping, trigger="on_change")
    for _ in range(2):
        assert end_of("workflow", subject).state == "passed"
    assert list(Run.objects.values_list("flow", flat=True)) == [own.pk, own.pk]


def test_what_the_workflow_check_changes_starts_no_flow_but_its_own(openai):
    subject = subject_of()
    other = ready_installation(name="Elsewhere", webhook_key="other")
    for installation in (subject.installation, other):
        mapping = Mapping.objects.for_push(installation, "Product").get()
        Flow.objects.create(installation=installation, mapping=mapping, name="Theirs", trigger="on_change")
    assert end_of("workflow", subject).state == "passed"
    assert Run.objects.get().installation == subject.installation


def test_a_sample_that_its_mapping_leaves_out_is_no_failure(openai):
    subject = subject_of()
    Mapping.objects.filter(direction="from_hub").update(sync_type="update")
    outcome = end_of("sample-push", subject)
    assert (outcome.state, openai.requests) == ("skipped", [])
    assert "only updates records" in outcome.sentence
